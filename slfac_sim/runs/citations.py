"""What to cite: the references of the plug-ins that a scenario names, and of the software that runs it.

It knows no plug-in by name: each lists its own in ``references``. Importing it imports no torch.
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

from slfac_sim import __version__
from slfac_sim.foundation.citing import Reference
from slfac_sim.scenario.schema import Scenario

OURSELVES = Reference(
    key="slfac_sim",
    entry="misc",
    title="slfac_sim: wireless network simulation coupled with real split learning",
    authors=("The slfac_sim authors",),
    within=f"version {__version__}",
)
SOFTWARE = (
    Reference(
        key="paszke2019pytorch",
        entry="inproceedings",
        title="PyTorch: An Imperative Style, High-Performance Deep Learning Library",
        authors=("Paszke, Adam", "others"),
        year=2019,
        within="Advances in Neural Information Processing Systems",
        volume="32",
        arxiv="1912.01703",
    ),
    Reference(
        key="simpy",
        entry="misc",
        title="SimPy: discrete-event simulation for Python",
        authors=("Team SimPy",),
        url="https://simpy.readthedocs.io",
    ),
    Reference(
        key="harris2020array",
        entry="article",
        title="Array programming with NumPy",
        authors=("Harris, Charles R.", "others"),
        year=2020,
        within="Nature",
        volume="585",
        pages="357-362",
        doi="10.1038/s41586-020-2649-2",
    ),
    Reference(
        key="virtanen2020scipy",
        entry="article",
        title="SciPy 1.0: fundamental algorithms for scientific computing in Python",
        authors=("Virtanen, Pauli", "others"),
        year=2020,
        within="Nature Methods",
        volume="17",
        pages="261-272",
        doi="10.1038/s41592-019-0686-2",
    ),
    Reference(
        key="hunter2007matplotlib",
        entry="article",
        title="Matplotlib: A 2D graphics environment",
        authors=("Hunter, John D.",),
        year=2007,
        within="Computing in Science & Engineering",
        volume="9",
        number="3",
        pages="90-95",
        doi="10.1109/MCSE.2007.55",
    ),
    Reference(
        key="salmon2011parallel",
        entry="inproceedings",
        title="Parallel random numbers: as easy as 1, 2, 3",
        authors=("Salmon, John K.", "Moraes, Mark A.", "Dror, Ron O.", "Shaw, David E."),
        year=2011,
        within="High Performance Computing, Networking, Storage and Analysis (SC)",
        doi="10.1145/2063384.2063405",
    ),
)
"""What every run stands on; the last one is the random numbers'."""


def references_of(scenario: Scenario | None = None) -> list[tuple[str, Reference]]:
    """Return the references of the parts that `scenario` uses, each with the part that asks for it.

    Ourselves first, then the plug-ins in the order of the scenario, then the software. Without a scenario,
    ourselves and the software alone.
    """
    found = {OURSELVES.key: ("slfac_sim", OURSELVES)}
    for part, reference in _asked_by(scenario, "") if scenario is not None else ():
        found.setdefault(reference.key, (part, reference))
    for reference in SOFTWARE:
        found.setdefault(reference.key, ("software", reference))
    return list(found.values())


def _asked_by(node: Any, path: str) -> Iterator[tuple[str, Reference]]:
    """Yield what the settings at `path`, and all below them, say of their sources."""
    if isinstance(node, tuple):
        for number, item in enumerate(node):
            yield from _asked_by(item, f"{path}.{number}")
    if not dataclasses.is_dataclass(node):
        return
    for reference in getattr(node, "references", ()):
        yield path, reference
    for field in dataclasses.fields(node):
        yield from _asked_by(getattr(node, field.name), f"{path}.{field.name}".lstrip("."))
