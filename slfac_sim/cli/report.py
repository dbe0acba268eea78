"""`report`: write one page in HTML about what lies in folders, for a browser without a network."""

import argparse
from pathlib import Path

from slfac_sim.cli.common import note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders, the file, and whether to look at it."""
    parser.add_argument(
        "folders",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="folder of a run, a study, or an answer of `ask` or `crossover`; of several runs to compare",
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help="default: report.html in the folder, of several runs ./report.html",
    )
    parser.add_argument("--open", action="store_true", help="show it in the browser")


def main(arguments: argparse.Namespace) -> int:
    """Write the page and print its name."""
    from slfac_sim.analysis.report.make import write_report

    path = write_report(arguments.folders, arguments.out)
    print(path)
    if arguments.open:
        import webbrowser

        if not webbrowser.open(path.resolve().as_uri()):
            note(f"no browser was found here; open {path} in one")
    return 0
