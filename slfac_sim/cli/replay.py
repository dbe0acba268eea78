"""`replay`: time a recorded run again on another network, at other speeds or with another server."""

import argparse
import sys
from pathlib import Path

from slfac_sim.cli.closing import add_closing_arguments, close
from slfac_sim.cli.common import note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the record, what is to be changed, and where and how to report."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help='such as network.bandwidth="5 MHz"')
    parser.add_argument("--seed-air", type=int, metavar="N", help="draw places, fades and speeds anew from N")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the replay into exactly this folder")
    parser.add_argument("--strict", action="store_true", help="check the laws of simulation while it goes on")
    add_closing_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Replay the run; the first line printed is the new run folder."""
    from slfac_sim.cli.progress import Progress
    from slfac_sim.runs.replay import prepare_replay, replay

    prepared = prepare_replay(arguments.run, arguments.overrides, arguments.seed_air, arguments.out)
    for sentence in prepared.notes:
        note(sentence)
    print(prepared.folder, file=sys.stderr if arguments.json else sys.stdout, flush=True)
    with Progress(quiet=arguments.quiet) as progress:
        record = prepared.record
        progress.begin(prepared.scenario.name, record.device_steps, record.scenario.protocol.rounds)
        summary = replay(prepared, progress.on_note, arguments.strict)
    return close(prepared.folder, summary, arguments)
