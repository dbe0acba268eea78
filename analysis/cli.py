"""The command line of the analysis: folders of runs or of a study in, figures and tables out."""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from slfac_sim.analysis.asked import nothing_for
from slfac_sim.analysis.pages import FORMATS, PAGES, SCREEN, Page
from slfac_sim.foundation.ending import add_options, status_of
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.program import program

RESULTS = "results.tex"


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the runs, or the study, named in `argv`; return the exit status, 2 for unusable input."""
    parser = argparse.ArgumentParser(
        prog=program("figure"),
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
        print(_report(arguments, _page(arguments)))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadInput(f"{error.filename}: cannot write the figures ({error.strerror})") from error
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folders, what to draw of them, for what, and where and how to answer."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="folder of a run, such as runs/latest, or of one study"
    )
    parser.add_argument(
        "--name", type=_names, default=(), metavar="FIGURE", help="these alone: one, or several with commas"
    )
    parser.add_argument(
        "--for", dest="page", choices=PAGES, help="widths, fonts and sizes of a paper, or of slides"
    )
    parser.add_argument("--columns", type=int, choices=(1, 2), default=1, help="of the paper (default: 1)")
    parser.add_argument(
        "--format", choices=FORMATS, help="default: pdf with --for, else PNG and SVG of each figure"
    )
    parser.add_argument(
        "--style", type=Path, metavar="FILE", help="a matplotlibrc: what it sets comes before our style"
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


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",")))


def _page(arguments: argparse.Namespace) -> Page:
    pages: tuple[Page, ...] = PAGES[arguments.page] if arguments.page else (SCREEN,)
    if arguments.columns > len(pages):
        two = " or ".join(name for name, widths in PAGES.items() if len(widths) > 1)
        raise BadInput(f"--columns 2: needs --for {two}, found {arguments.page or 'none'}")
    page: Page = pages[arguments.columns - 1]
    if arguments.format:
        page = replace(page, formats=(arguments.format,))
    if arguments.style:
        from slfac_sim.analysis.style_file import styled

        page = styled(page, arguments.style)
    return page


def _report(arguments: argparse.Namespace, page: Page) -> str:
    from slfac_sim.analysis.studies.reading import is_study

    folders = [Path(folder) for folder in arguments.runs]
    studies = [folder for folder in folders if is_study(folder)]
    if studies and len(folders) > 1:
        raise BadInput(f"{studies[0]}: is a study; a study is drawn alone, found {len(folders)} folders")
    if not studies:
        return _runs_report(folders, arguments, page)
    if page == SCREEN and not arguments.name:
        return _study_report(studies[0], arguments.out or studies[0], arguments.json)
    return _study_figures(studies[0], arguments, page)


def _runs_report(folders: Sequence[Path], arguments: argparse.Namespace, page: Page) -> str:
    from slfac_sim.analysis.run_table import as_data, as_rows, as_text
    from slfac_sim.ledger.folder import DRAWN, load

    runs = [load(folder) for folder in folders]
    for reason in filter(None, (run.altered for run in runs)):
        print(f"warning: {reason}", file=sys.stderr)
    # matplotlib takes half a second to import: not for --help, nor before the folders are known to be good
    from slfac_sim.analysis.draw import draw

    out = arguments.out or (runs[0].folder / DRAWN if len(runs) == 1 else Path("figures"))
    files = draw(runs, out, page=page, names=arguments.name)
    _tell_missing(arguments.name, files, folders)
    files += _results(as_rows(runs), out, page)
    if arguments.json:
        return json.dumps({"runs": as_data(runs), "figures": [*map(str, files)]}, indent=2)
    table = as_text(runs, shutil.get_terminal_size((0, 0)).columns or None)
    return "\n".join([table, "", *map(str, files), *_closing(arguments.runs, page)])


def _tell_missing(names: Sequence[str], files: Sequence[Path], folders: Sequence[Path]) -> None:
    """Say for which figures that were asked for, beside those that were drawn, there is nothing."""
    drawn = {path.stem for path in files}
    for name in names:
        if name not in drawn:
            print(f"note: {nothing_for(name, folders)}: it was not drawn", file=sys.stderr)


def _study_figures(folder: Path, arguments: argparse.Namespace, page: Page) -> str:
    from slfac_sim.analysis.studies.reading import load_study
    from slfac_sim.analysis.studies.report import DRAWN, draw_study
    from slfac_sim.analysis.studies.tables import costs_table

    study = load_study(folder)
    out = arguments.out or folder / DRAWN
    files = draw_study(study, out, page, arguments.name)
    _tell_missing(arguments.name, files, [folder])
    files += _results(costs_table(study), out, page)
    if arguments.json:
        return json.dumps({"figures": [*map(str, files)]}, indent=2)
    return "\n".join([*map(str, files), *_closing(arguments.runs, page)])


def _results(rows: Sequence[dict[str, str]], out: Path, page: Page) -> list[Path]:
    """Write the table of results for a paper, where it is for one; return the file."""
    from slfac_sim.analysis.booktabs import write_booktabs

    return [write_booktabs(rows, out / RESULTS)] if page.print_table and rows else []


def _closing(folders: Sequence[str], page: Page) -> list[str]:
    if not page.print_table:
        return []
    wide = f"{page.width_mm:.1f} mm wide, texts of {page.text_pt:g} pt: include them unscaled"
    return ["", wide, f"references: {program('cite')} {' '.join(folders)} --bibtex"]


def _study_report(folder: Path, out: Path, as_json: bool) -> str:
    from slfac_sim.analysis.studies.report import DRAWN, REPORT, SUMMARY, finish_study

    closing = finish_study(folder, out)
    if as_json:
        return (out / SUMMARY).read_text(encoding="utf-8").rstrip()
    return "\n".join([*closing, "", str(out / REPORT), *map(str, sorted((out / DRAWN).iterdir()))])
