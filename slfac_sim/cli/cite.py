"""`cite`: the references of the parts that scenarios, runs or a study use, of the software and the figures.

It knows no plug-in by name: each names its own in ``references``.
"""

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.foundation.citing import Reference, reference

if TYPE_CHECKING:
    from slfac_sim.scenario.schema import Scenario

OURSELVES = "slfac_sim"
SOFTWARE = (
    *("paszke2019pytorch", "simpy", "harris2020array", "virtanen2020scipy", "hunter2007matplotlib"),
    "salmon2011parallel",
)
"""What every run stands on; the last one is the random numbers'."""
FIGURES = ("petroff2021accessible",)
"""What figures stand on besides: their colours."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenarios and the form."""
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="FILE|RUN",
        help="scenarios, folders of runs or of studies, such as those of a figure, or nothing: the software",
    )
    parser.add_argument("--bibtex", action="store_true", help="print BibTeX entries")


def main(arguments: argparse.Namespace) -> int:
    """Print one reference a line, or one BibTeX entry after another."""
    scenarios = [scenario for source in arguments.scenarios for scenario in _read(source)]
    for part, cited in references_of(*scenarios):
        print(cited.bibtex + "\n" if arguments.bibtex else f"{part}: {cited.text()}")
    return 0


def _read(source: str) -> list["Scenario"]:
    """Return the scenario of a file or a run; of a study one for each combination of its values."""
    from slfac_sim.foundation.files import check_name
    from slfac_sim.scenario.files import load
    from slfac_sim.studies.files import STUDY, Changes, is_study, read_study

    check_name(source)
    inside = next(
        (Path(source) / name for name in ("scenario.yaml", STUDY) if (Path(source) / name).is_file()), None
    )
    path = source if inside is None else str(inside)
    if not is_study(path):
        return [load(path)]
    from slfac_sim.studies.plan import cells_in, plan

    return cells_in(plan(read_study(path, Changes())))


def references_of(*scenarios: "Scenario") -> list[tuple[str, Reference]]:
    """Return the references of the parts that `scenarios` use, each with the part that asks for it.

    Ourselves first, then the plug-ins in the order of the scenarios, then the software and the figures.
    Without a scenario, all but the plug-ins.
    """
    parts = [part for scenario in scenarios for part in _asked_by(scenario, "")]
    stands_on = [*(("software", key) for key in SOFTWARE), *(("figures", key) for key in FIGURES)]
    asked = [("slfac_sim", OURSELVES), *parts, *stands_on]
    cited: dict[str, tuple[str, Reference]] = {}
    for part, name in asked:
        cited.setdefault(reference(name).key, (part, reference(name)))
    return list(cited.values())


def _asked_by(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the references of the settings at `path`, and of all below them."""
    if isinstance(node, tuple):
        for place, item in enumerate(node):
            yield from _asked_by(item, f"{path}.{place}")
    if not dataclasses.is_dataclass(node):
        return
    settings: Any = node
    for name in settings.references:
        yield path, name
    for field in dataclasses.fields(settings):
        yield from _asked_by(getattr(settings, field.name), f"{path}.{field.name}".lstrip("."))
