"""Settings of every test process; and which cases of the generated matrices a run tries."""

import math
import os
import shutil
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Several test processes share the cores: with more than one thread each, small tensors get far slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tables are as wide as they like; readline, loaded for a debugger, names the width of some terminal.
os.environ.pop("COLUMNS", None)

# A ledger waits for the disk at every commit: folders of tests lie in memory where it has room for them.
MEMORY = Path("/dev/shm")
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4e9:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# No test is timed, and every run tries the same examples.
settings.register_profile(
    "slfac_sim", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("slfac_sim")


def part(text: str) -> Fraction:
    """Return the part that `text` asks for: `all`, `none`, or a number from 0 to 1 such as 1/8."""
    words = {"all": Fraction(1), "none": Fraction(0)}
    share = words[text] if text in words else Fraction(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("matrix", "generated matrices (cases marked `matrix`)")
    group.addoption("--matrix", type=part, default=part("1/8"), help="a part of its cases: 1/8, all, none")
    group.addoption("--matrix-seed", type=int, default=0, help="which cases these are (default 0)")


def pytest_report_header(config: pytest.Config) -> str:
    share, seed = config.getoption("matrix"), config.getoption("matrix_seed")
    return f"matrix: {share} of its cases, seed {seed} (the whole: --matrix all)"


@pytest.hookimpl(trylast=True)  # after -m has chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not in the sample: the same in each process of a run."""
    share, seed = config.getoption("matrix"), config.getoption("matrix_seed")
    cases = [item for item in items if item.get_closest_marker("matrix")]
    left_out = set(cases) - sample(cases, share, seed)
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def sample(cases: Sequence[pytest.Item], share: Fraction, seed: int) -> set[pytest.Item]:
    """Return `share` of the cases of each test, and at least one of every plug-in, a new one's too.

    Of a test whose matrix is `large` it is the share of that share.
    """
    drawn = sorted(cases, key=lambda case: sha256(f"{seed} {case.nodeid}".encode()).digest())
    tests, plugins = defaultdict(list), defaultdict(list)
    for case in drawn:
        tests[case.nodeid.partition("[")[0]].append(case)
        plugins[plugin_of(case)].append(case)
    kept = {case for some in tests.values() for case in some[: math.ceil(_share(some[0], share) * len(some))]}
    return kept | {some[0] for some in plugins.values() if share and kept.isdisjoint(some)}


def _share(case: pytest.Item, share: Fraction) -> Fraction:
    marker = case.get_closest_marker("matrix")
    return share**2 if marker is not None and marker.kwargs.get("large") else share


def plugin_of(case: pytest.Item) -> str:
    """Return the plug-in that `case` tries: the value of the parameter `kind`, where it has one."""
    callspec = getattr(case, "callspec", None)
    return str(callspec.params.get("kind", "")) if callspec else ""
