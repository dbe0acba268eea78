"""Settings of every test process; set before any test module is imported."""

import os

from hypothesis import HealthCheck, settings

# Several test processes share the cores: with more than one thread each, small tensors get far slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No test is timed, and every run tries the same examples.
settings.register_profile(
    "slfac_sim", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("slfac_sim")
