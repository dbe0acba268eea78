"""`resume`: go on with a run that was interrupted or killed, so that it ends as if nothing had happened."""

import argparse
import sys
from pathlib import Path

from slfac_sim.cli.closing import add_closing_arguments, close


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and how to report."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as runs/latest")
    add_closing_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Go on with the run in its own folder; the first line printed is that folder."""
    from slfac_sim.cli.progress import Progress
    from slfac_sim.runs.resume import finished, prepare_resume, resume

    if finished(arguments.run):
        print(f"{arguments.run}: the run is finished already; nothing to resume", file=sys.stderr)
        return 0
    with Progress(quiet=arguments.quiet) as progress:
        resumable = prepare_resume(arguments.run, progress.say)
        prepared = resumable.prepared
        print(prepared.folder, file=sys.stderr if arguments.json else sys.stdout, flush=True)
        for remark in resumable.remarks:
            print(remark, file=sys.stderr)
        where = f"after round {resumable.rounds}" if resumable.rounds else "from the beginning: no checkpoint"
        progress.say(f"resumed {where}")
        progress.begin(prepared.scenario.name, prepared.world.device_steps, prepared.scenario.protocol.rounds)
        summary = resume(resumable, progress.on_note, progress.learn)
    return close(prepared.folder, summary, arguments)
