"""`export`: the tables of a run as CSV or Parquet files, or its trained model as NumPy arrays."""

import argparse
import sys
from pathlib import Path

from slfac_sim.cli.common import warn_of_altered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, the form and the place."""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    parser.add_argument("--format", default="csv", choices=("csv", "parquet"), help="default: csv")
    parser.add_argument("-o", "--out", type=Path, metavar="DIR", help="default: RUN/tables, or RUN/weights")
    parser.add_argument(
        "--weights", action="store_true", help="the trained model in place of the tables: final.npz"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there already")


def main(arguments: argparse.Namespace) -> int:
    """Write one file per table and print their names."""
    from slfac_sim.ledger.export import export, foreign_tables
    from slfac_sim.ledger.folder import WEIGHTS, load

    run = load(arguments.run)
    if arguments.weights:
        from slfac_sim.runs.weights import export_weights

        for path in export_weights(run, arguments.out or run.folder / WEIGHTS, arguments.overwrite):
            print(path)
        return 0
    warn_of_altered(run)
    if left_out := foreign_tables(run):
        print(f"left out: {len(left_out)} tables that no run has", file=sys.stderr)
    for path in export(arguments.run, arguments.format, arguments.out, arguments.overwrite):
        print(path)
    return 0
