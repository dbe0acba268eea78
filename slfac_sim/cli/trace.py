"""`trace`: write the timeline of a run, for a trace viewer."""

import argparse
from pathlib import Path

from slfac_sim.cli.common import warn_of_altered
from slfac_sim.foundation.errors import BadInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and where the timeline goes."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as runs/latest")
    parser.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="write it here (default: RUN/trace.json.gz)"
    )


def main(arguments: argparse.Namespace) -> int:
    """Write the file and print its name."""
    from slfac_sim.analysis.rows import rows_if_there, rows_of
    from slfac_sim.analysis.trace import NEEDED, WIRED, write_trace
    from slfac_sim.ledger.folder import load

    run = load(arguments.run)
    warn_of_altered(run)
    path = arguments.out if arguments.out is not None else run.folder / "trace.json.gz"
    tables = rows_of(run, NEEDED) | rows_if_there(run, WIRED)
    try:
        print(write_trace(tables, path))
    except OSError as error:
        raise BadInput(f"{path}: cannot write the timeline ({error.strerror})") from error
    return 0
