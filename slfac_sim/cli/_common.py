"""What the commands that read a scenario have in common."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.scenario import Scenario

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_WIDTH = 110  # columns of tables that go into a file or a pipe


def console() -> "Console":
    """Return the console on standard output, wide enough for tables where it is no terminal."""
    from rich.console import Console

    screen = Console()
    return screen if screen.is_terminal else Console(width=PLAIN_WIDTH)


def add_scenario_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, its overrides and the seed."""
    parser.add_argument("scenario", metavar="FILE", help="a scenario file, or the name of a shipped one")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help='such as network.bandwidth="10 MHz" or codec=raw'
    )
    parser.add_argument("--seed", type=int, metavar="N", help="set both seeds, learning and air, to N")


def read_scenario(arguments: argparse.Namespace) -> Scenario:
    """Return the scenario that the arguments name. Raises `BadInput` with all of its faults."""
    from slfac_sim.scenario_file import load

    return load(arguments.scenario, arguments.overrides, arguments.seed)


def told(folder: Path, summary: Mapping[str, Any], arguments: argparse.Namespace) -> int:
    """Print how the run in `folder` ended, as JSON, as a table or not at all; return the exit status."""
    if arguments.json:
        print(json.dumps(summary, indent=2))
    elif not arguments.quiet:
        from slfac_sim.cli._closing import print_closing

        print_closing(folder, summary)
    if summary["status"] != "finished":
        print(f"{summary['status']}: {summary['reason']}", file=sys.stderr)
    return {"finished": 0, "interrupted": 130}.get(summary["status"], 1)
