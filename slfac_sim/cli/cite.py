"""`cite`: the references of the parts that scenarios, runs or a study use, of software and figures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slfac_sim.scenario.schema import Scenario


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
    from slfac_sim.scenario.references import references_of

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
