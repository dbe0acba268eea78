"""`replay`: time a recorded run again on another network, at other speeds or with another server."""

import argparse
from pathlib import Path

from slfac_sim.cli.closing import add_closing_arguments, close, progress_of


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
    from slfac_sim.runs.replay import carry_out

    with progress_of(arguments) as progress:
        folder, summary = carry_out(
            arguments.run,
            arguments.overrides,
            progress,
            arguments.seed_air,
            arguments.out,
            arguments.strict,
        )
    return close(folder, summary, arguments)
