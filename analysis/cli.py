"""The command line of the analysis: folders of runs or of a study in, figures and tables out."""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from slfac_sim.foundation.ending import add_options, status_of
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.program import program


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the runs, or the study, named in `argv`; return the exit status, 2 for unusable input."""
    parser = argparse.ArgumentParser(
        prog=program("analysis"),
        description="Redraw the figures of runs from their folders alone: accuracy against simulated time and"
        " against bytes, several runs on one axis. Or those of a study, with its tables and its report.",
    )
    add_arguments(parser)
    add_options(parser)
    arguments = parser.parse_args(argv)
    return status_of(lambda: perform(arguments), arguments.debug, arguments.no_plugins)


def perform(arguments: argparse.Namespace) -> int:
    """Draw what `arguments` ask for and print the table and the files. Raises `BadInput`."""
    try:
        print(_report(arguments.runs, arguments.out, arguments.json))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadInput(f"{error.filename}: cannot write the figures ({error.strerror})") from error
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders, and where and how to answer."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="folder of a run, such as runs/latest, or of one study"
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="DIR",
        help="folder for the figures (default: RUN/figures for one run, ./figures for several); for a study"
        " the folder of all that is written (default: its own)",
    )
    parser.add_argument("--json", action="store_true", help="print the table and the files as JSON")


def _report(folders: Sequence[str], out: Path | None, as_json: bool) -> str:
    from slfac_sim.analysis.studies.reading import is_study

    studies = [Path(folder) for folder in folders if is_study(Path(folder))]
    if studies and len(folders) > 1:
        raise BadInput(f"{studies[0]}: is a study; a study is drawn alone, found {len(folders)} folders")
    if studies:
        return _study_report(studies[0], out or studies[0], as_json)
    from slfac_sim.analysis.run_table import as_data, as_text
    from slfac_sim.ledger.folder import DRAWN, load

    runs = [load(folder) for folder in folders]
    for reason in filter(None, (run.altered for run in runs)):
        print(f"warning: {reason}", file=sys.stderr)
    # matplotlib takes half a second to import: not for --help, nor before the folders are known to be good
    from slfac_sim.analysis.draw import draw

    where = out or (runs[0].folder / DRAWN if len(runs) == 1 else Path("figures"))
    files = [str(path) for path in draw(runs, where)]
    if as_json:
        return json.dumps({"runs": as_data(runs), "figures": files}, indent=2)
    return "\n".join([as_text(runs, shutil.get_terminal_size((0, 0)).columns or None), "", *files])


def _study_report(folder: Path, out: Path, as_json: bool) -> str:
    from slfac_sim.analysis.studies.report import DRAWN, REPORT, SUMMARY, finish_study

    closing = finish_study(folder, out)
    if as_json:
        return (out / SUMMARY).read_text(encoding="utf-8").rstrip()
    return "\n".join([*closing, "", str(out / REPORT), *map(str, sorted((out / DRAWN).iterdir()))])
