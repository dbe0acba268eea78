"""What the commands that read a scenario have in common."""

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.scenario.schema import Scenario

if TYPE_CHECKING:
    from slfac_sim.analysis.text_tables import Lines
    from slfac_sim.ledger.folder import Run


def screen_width() -> int | None:
    """Return how many columns the terminal has, or `COLUMNS` says; None for a file or a pipe."""
    return shutil.get_terminal_size((0, 0)).columns or None


def print_table(title: str, lines: "Lines", sides: str) -> None:
    """Print a titled table: `sides` has a letter for each column, l for texts, r for numbers."""
    from slfac_sim.analysis.text_tables import aligned, wrapped

    width = screen_width()
    print(*wrapped(title, width or len(title)), aligned(lines, sides, width), sep="\n")


def about(seconds: float) -> str:
    """Return an estimate for people, in seconds, minutes or hours."""
    if seconds < 99.5:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.0f} h"


def add_scenario_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the scenario, its overrides and the seed."""
    parser.add_argument("scenario", metavar="FILE", help="a scenario file, or the name of a shipped one")
    parser.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help='such as network.bandwidth="10 MHz" or codec=raw'
    )
    parser.add_argument("--seed", type=int, metavar="N", help="set both seeds, learning and air, to N")


def note(sentence: str) -> None:
    """Print a sentence that a user should read, also with `--quiet`."""
    print(f"note: {sentence}", file=sys.stderr, flush=True)


def read_scenario(arguments: argparse.Namespace, report: Callable[[str], None] = note) -> Scenario:
    """Return the scenario that the arguments name. Raises `BadInput` with all of its faults.

    `report` is told of settings that an override drops.
    """
    from slfac_sim.scenario.files import load

    return load(arguments.scenario, arguments.overrides, arguments.seed, report)


def warn_of_altered(*runs: "Run") -> None:
    """Say on standard error which of `runs` have another ledger than when they ended. Raises `BadInput`."""
    for reason in (run.altered for run in runs):
        if reason:
            print(f"warning: {reason}", file=sys.stderr)


def add_closing_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is drawn and printed of a run: what `told` needs."""
    parser.add_argument(
        "--draw", choices=("none", "main", "all"), help="which figures (default: main; with --quiet none)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress, no table, no figures")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON, and no table")


def told(folder: Path, summary: Mapping[str, Any], arguments: argparse.Namespace) -> int:
    """Print how the run in `folder` ended, then draw its figures, as asked; return the exit status."""
    with_table = not (arguments.json or arguments.quiet)
    drawn = arguments.draw or ("none" if arguments.quiet else "main")
    if arguments.json:
        print(json.dumps(summary, indent=2), flush=True)
    elif with_table:
        from slfac_sim.cli._closing import print_summary

        print_summary(summary)
    if summary["status"] != "finished":
        print(f"{summary['status']}: {summary['reason']}", file=sys.stderr)
    if drawn != "none":
        _draw(folder, drawn == "main", arguments.quiet)
    if with_table:
        from slfac_sim.cli._closing import print_figures

        print_figures(folder, drawn)
    return {"finished": 0, "interrupted": 130}.get(summary["status"], 1)


def _draw(folder: Path, main_alone: bool, quiet: bool) -> None:
    """Draw the figures of the run in `folder`, which is complete without them."""
    from slfac_sim.analysis.draw import draw_run
    from slfac_sim.cli._progress import Progress

    try:
        with Progress(quiet) as progress:
            draw_run(folder, main_alone, progress.figure)
    except KeyboardInterrupt:
        print(f"only figures are missing: python -m slfac_sim.analysis {folder}", file=sys.stderr)
        raise
    except OSError as error:
        raise BadInput(f"{error.filename}: cannot write the figures ({error.strerror})") from error
