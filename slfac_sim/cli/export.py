"""`export`: the tables of a run as CSV or Parquet files."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, the form and the place."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument("--format", default="csv", choices=("csv", "parquet"), help="default: csv")
    parser.add_argument("-o", "--out", type=Path, metavar="DIR", help="default: RUN/tables")


def main(arguments: argparse.Namespace) -> int:
    """Write one file per table and print their names."""
    from slfac_sim.exporting import export

    for path in export(arguments.run, arguments.format, arguments.out):
        print(path)
    return 0
