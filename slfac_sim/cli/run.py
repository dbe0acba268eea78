"""`run`: train, transmit and time a scenario, and leave a run folder with its figures."""

import argparse
import sys
from pathlib import Path

from slfac_sim.cli.closing import add_closing_arguments, close
from slfac_sim.cli.common import add_scenario_arguments, note, read_scenario
from slfac_sim.foundation.errors import BadInput


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario and where and how to report."""
    add_scenario_arguments(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the run into exactly this folder")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="host threads of torch (default: 2, or 1 on one core)"
    )
    parser.add_argument(
        "--checkpoint-every",
        type=int,
        metavar="ROUNDS",
        help="rounds between checkpoints, 0: none (default: so that they take less than 2 %% of the time)",
    )
    parser.add_argument("--strict", action="store_true", help="check the laws of simulation while it goes on")
    add_closing_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Run the scenario; the first line printed is the run folder."""
    notes: list[str] = []
    scenario = read_scenario(arguments, notes.append)
    for sentence in notes:
        note(sentence)
    if arguments.checkpoint_every is not None and arguments.checkpoint_every < 0:
        raise BadInput(f"--checkpoint-every {arguments.checkpoint_every}: must be at least 0")
    from slfac_sim.runs.starting import import_torch

    import_torch()
    from slfac_sim.cli.progress import Progress
    from slfac_sim.runs.run import prepare, run

    with Progress(quiet=arguments.quiet) as progress:
        prepared = prepare(scenario, arguments.out, arguments.threads, progress.say, notes)
        print(prepared.folder, file=sys.stderr if arguments.json else sys.stdout, flush=True)
        progress.begin(scenario.name, prepared.world.device_steps, scenario.protocol.rounds)
        summary = run(
            prepared,
            progress.on_note,
            checkpoint_every=arguments.checkpoint_every,
            strict=arguments.strict,
        )
    return close(prepared.folder, summary, arguments)
