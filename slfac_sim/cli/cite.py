"""`cite`: the references of the parts that a scenario, or a run, uses, and of the software that runs it.

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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario and the form."""
    parser.add_argument(
        "scenario", nargs="?", metavar="FILE|RUN", help="a scenario, a run folder, or nothing: the software"
    )
    parser.add_argument("--bibtex", action="store_true", help="print BibTeX entries")


def main(arguments: argparse.Namespace) -> int:
    """Print one reference a line, or one BibTeX entry after another."""
    from slfac_sim.scenario.files import load

    source = arguments.scenario
    if source is not None and (Path(source) / "scenario.yaml").is_file():
        source = Path(source) / "scenario.yaml"
    for part, cited in references_of(None if source is None else load(source)):
        print(cited.bibtex + "\n" if arguments.bibtex else f"{part}: {cited.text()}")
    return 0


def references_of(scenario: "Scenario | None" = None) -> list[tuple[str, Reference]]:
    """Return the references of the parts that `scenario` uses, each with the part that asks for it.

    Ourselves first, then the plug-ins in the order of the scenario, then the software. Without a scenario,
    ourselves and the software alone.
    """
    asked = [("slfac_sim", OURSELVES), *_asked_by(scenario, ""), *(("software", key) for key in SOFTWARE)]
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
