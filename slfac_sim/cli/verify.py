"""`verify`: run the scenario of a finished run again and compare every row; nothing in its folder changes."""

import argparse
from pathlib import Path

from slfac_sim.cli.common import add_level_argument, note, silent


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and how to report."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a finished run")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_level_argument(parser)


def main(arguments: argparse.Namespace) -> int:
    """Print whether it came out the same, and if not, where it differs."""
    from slfac_sim.progress.run import RunProgress
    from slfac_sim.runs.verify import prepare_verify, verify

    with (
        RunProgress(silent(arguments)) as progress,
        prepare_verify(arguments.run, progress.say) as verifiable,
    ):
        scenario = verifiable.prepared.scenario
        device_steps, rounds = verifiable.prepared.world.device_steps, scenario.protocol.rounds
        progress.begin(arguments.run, scenario.name, device_steps, rounds)
        verdict = verify(verifiable, progress.on_note)
    if verdict.equal:
        print(f"{arguments.run}: verified, digest {verdict.digest[:16]}")
        return 0
    print(f"{arguments.run}: differs, digest {verdict.recorded[:16]} on record, {verdict.digest[:16]} now")
    for line in verdict.differences:
        print(line)
    if not verdict.differences:
        print("every row is equal: the digest in summary.json is not that of its ledger")
    for line in verifiable.others:
        note(line)
    return 1
