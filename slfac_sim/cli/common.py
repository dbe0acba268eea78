"""What commands share: tables as wide as the terminal, notes, and the arguments that name a scenario."""

import argparse
import logging
import shutil
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slfac_sim.analysis.text_tables import Lines
    from slfac_sim.ledger.folder import Run
    from slfac_sim.scenario.schema import Scenario


def screen_width() -> int | None:
    """Return how many columns the terminal has, or `COLUMNS` says; None for a file or a pipe."""
    return shutil.get_terminal_size((0, 0)).columns or None


def print_table(title: str, lines: "Lines", sides: str) -> None:
    """Print a titled table: `sides` has a letter for each column, l for texts, r for numbers."""
    from slfac_sim.analysis.text_tables import aligned, wrapped

    width = screen_width()
    print(*wrapped(title, width or len(title)), aligned(lines, sides, width), sep="\n")


def add_level_argument(parser: argparse.ArgumentParser) -> None:
    """Add how much is told while something goes on."""
    from slfac_sim.foundation.logs import LEVELS

    text = (
        "what goes to standard error and run.log: debug (also rounds, checkpoints, host times and plug-ins),"
        " info (the default), warning or error; over --quiet, which is warning for standard error alone"
    )
    parser.add_argument("--log-level", choices=LEVELS, metavar="LEVEL", help=text)


def add_tracker_arguments(parser: argparse.ArgumentParser) -> None:
    """Add who is told of a run while it goes on."""
    from slfac_sim.foundation.logs import TRACKERS

    parser.add_argument(
        "--log",
        action="append",
        default=[],
        choices=TRACKERS,
        help="tell TensorBoard (an extra), or log.jsonl, how it goes on; may be given twice",
    )
    parser.add_argument(
        "--callback",
        action="append",
        default=[],
        metavar="MODULE.CLASS",
        help="tell a callback of your own: a class that inherits from slfac_sim.Callback",
    )


def silent(arguments: argparse.Namespace) -> bool:
    """Return whether there is to be no progress: by `--log-level` if it is given, else by `--quiet`."""
    if arguments.log_level is None:
        return bool(vars(arguments).get("quiet"))
    return arguments.log_level in ("warning", "error")


def say(line: str) -> None:
    """Print a line about what takes long, unless the level is above info."""
    _tell(logging.INFO, line)


def note(sentence: str) -> None:
    """Print a sentence that a user should read, also with `--quiet`."""
    _tell(logging.WARNING, f"note: {sentence}")


def _tell(severity: int, line: str) -> None:
    from slfac_sim.foundation.logs import level

    if severity >= level():
        print(line, file=sys.stderr, flush=True)


def warn_of_altered(*runs: "Run") -> None:
    """Say on standard error which of `runs` have another ledger than when they ended. Raises `BadInput`."""
    for reason in (run.altered for run in runs):
        if reason:
            _tell(logging.WARNING, f"warning: {reason}")


def add_scenario_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, its overrides and the seed."""
    parser.add_argument("scenario", metavar="FILE", help="a scenario file, or the name of a shipped one")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help='such as network.bandwidth="10 MHz" or codec=raw'
    )
    parser.add_argument("--seed", type=int, metavar="N", help="set both seeds, learning and air, to N")


def read_scenario(arguments: argparse.Namespace, report: Callable[[str], None] = note) -> "Scenario":
    """Return the scenario that the arguments name. Raises `BadInput` with all of its faults.

    `report` gets a sentence for each kind that is changed, with the settings that an override drops.
    """
    from slfac_sim.scenario.files import load

    return load(arguments.scenario, arguments.overrides, arguments.seed, report)
