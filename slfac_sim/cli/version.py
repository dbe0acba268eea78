"""`--version`: which slfac_sim this is, and the versions of what results depend on, none of it imported."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

OF_RESULTS = ("torch", "numpy", "scipy", "simpy", "networkx", "constriction", "zstandard", "ml_dtypes")
"""Packages whose arithmetic, order of events or format is in the results."""


def lines() -> Iterator[str]:
    """Yield one line for each version."""
    from slfac_sim import __version__
    from slfac_sim.foundation.version import commit  # here: it asks git

    yield f"slfac_sim {__version__}, commit {commit() or 'unknown'}"
    yield f"python {platform.python_version()}, {platform.system()} {platform.machine()}"
    for name in OF_RESULTS:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name} is not installed"
