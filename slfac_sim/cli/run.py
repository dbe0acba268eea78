"""`run`: train, transmit and time a scenario, and leave a run folder with its figures."""

import argparse
from pathlib import Path

from slfac_sim.cli.closing import add_closing_arguments, close, progress_of
from slfac_sim.cli.common import add_scenario_arguments, add_tracker_arguments, note, read_scenario


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
    parser.add_argument("--no-weights", action="store_true", help="do not keep the trained model in the run")
    parser.add_argument("--strict", action="store_true", help="check the laws of simulation while it goes on")
    add_tracker_arguments(parser)
    add_closing_arguments(parser)


def main(arguments: argparse.Namespace) -> int:
    """Run the scenario; the first line printed is the run folder."""
    notes: list[str] = []
    scenario = read_scenario(arguments, notes.append)
    for sentence in notes:
        note(sentence)
    from slfac_sim.runs.starting import import_torch

    import_torch()
    from slfac_sim.runs.callbacks import trackers_of
    from slfac_sim.runs.run import carry_out
    from slfac_sim.scenario.own_plugins import places_beside

    trackers = trackers_of(arguments.log, arguments.callback, places_beside(arguments.scenario))

    with progress_of(arguments) as progress:
        folder, summary = carry_out(
            scenario,
            progress,
            arguments.out,
            arguments.threads,
            arguments.checkpoint_every,
            arguments.strict,
            notes,
            not arguments.no_weights,
            trackers,
        )
    return close(folder, summary, arguments)
