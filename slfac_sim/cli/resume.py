"""`resume`: go on with a run that was interrupted or killed, so that it ends as if nothing had happened."""

import argparse
import sys
from pathlib import Path

from slfac_sim.cli.closing import add_closing_arguments, close, progress_of
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.program import program
from slfac_sim.ledger.folder import SCENARIO


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and how to report."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as runs/latest")
    add_closing_arguments(parser)
    parser.set_defaults(overrides=[])  # they are refused with a reason


def main(arguments: argparse.Namespace) -> int:
    """Go on with the run in its own folder; the first line printed is that folder."""
    from slfac_sim.runs.resume import carry_out, finished

    if arguments.overrides:
        scenario, given = arguments.run / SCENARIO, " ".join(arguments.overrides)
        raise BadInput(
            f"{given}: a run is resumed as it was begun, and one that is finished is not lengthened; "
            f"run its scenario anew: `{program()} {scenario} {given}`"
        )
    if finished(arguments.run):
        print(f"{arguments.run}: the run is finished already; nothing to resume", file=sys.stderr)
        return 0
    with progress_of(arguments) as progress:
        folder, summary = carry_out(arguments.run, progress)
    return close(folder, summary, arguments)
