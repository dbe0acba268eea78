"""`report`: write one page in HTML about a run or a study, for a browser without a network."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the file, and whether to look at it."""
    parser.add_argument("folder", type=Path, metavar="RUN|STUDY", help="the folder of a run or of a study")
    parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="default: report.html in the folder")
    parser.add_argument("--open", action="store_true", help="show it in the browser")


def main(arguments: argparse.Namespace) -> int:
    """Write the page and print its name."""
    from slfac_sim.analysis.report.make import write_report

    path = write_report(arguments.folder, arguments.out)
    print(path)
    if arguments.open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return 0
