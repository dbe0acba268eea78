"""`cite`: the references of the parts that a scenario, or a run, uses."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario and the form."""
    parser.add_argument(
        "scenario", nargs="?", metavar="FILE|RUN", help="a scenario, a run folder, or nothing: the software"
    )
    parser.add_argument("--bibtex", action="store_true", help="print BibTeX entries")


def main(arguments: argparse.Namespace) -> int:
    """Print one reference a line, or one BibTeX entry after another."""
    from slfac_sim.runs.citations import references_of
    from slfac_sim.scenario.files import load

    source = arguments.scenario
    if source is not None and (Path(source) / "scenario.yaml").is_file():
        source = Path(source) / "scenario.yaml"
    for part, reference in references_of(None if source is None else load(source)):
        print(reference.bibtex + "\n" if arguments.bibtex else f"{part}: {reference.text()}")
    return 0
