"""`trace`: write the timeline of a run for a trace viewer, or its beginning as a moving picture."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.cli.common import warn_of_altered
from slfac_sim.foundation.errors import BadInput

if TYPE_CHECKING:
    from slfac_sim.ledger.folder import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the run, and where the timeline or the picture goes."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, such as runs/latest")
    to = parser.add_mutually_exclusive_group()
    to.add_argument(
        "-o", "--out", type=Path, metavar="FILE", help="write it here (default: RUN/trace.json.gz)"
    )
    to.add_argument(
        "--svg", type=Path, metavar="FILE", help="write a picture instead in which devices and packets move"
    )


def main(arguments: argparse.Namespace) -> int:
    """Write the file and print its name."""
    from slfac_sim.ledger.folder import load

    run = load(arguments.run)
    warn_of_altered(run)
    path = arguments.svg or arguments.out or run.folder / "trace.json.gz"
    what, write = ("timeline", _timeline) if arguments.svg is None else ("picture", _picture)
    try:
        write(run, path)
    except OSError as error:
        raise BadInput(f"{path}: cannot write the {what} ({error.strerror})") from error
    print(path)
    return 0


def _timeline(run: "Run", path: Path) -> None:
    from slfac_sim.analysis.rows import rows_if_there, rows_of
    from slfac_sim.analysis.trace import NEEDED, WIRED, write_trace

    write_trace(rows_of(run, NEEDED) | rows_if_there(run, WIRED), path)


def _picture(run: "Run", path: Path) -> None:
    from slfac_sim.analysis.animation.picture import svg
    from slfac_sim.analysis.animation.scene import NEEDED, OFFERED, scene
    from slfac_sim.analysis.rows import rows_if_there, rows_of
    from slfac_sim.foundation.files import write_text

    write_text(path, svg(scene(run.label, rows_of(run, NEEDED) | rows_if_there(run, OFFERED))))
