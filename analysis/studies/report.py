"""Closes a study: points.csv, summary.json, report.md, figures and closing lines, from its folder alone."""

import importlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.analysis.asked import check_names, check_shown
from slfac_sim.analysis.format import target_words
from slfac_sim.analysis.pages import SCREEN, Page
from slfac_sim.analysis.studies import tables
from slfac_sim.analysis.studies.answers import main_target
from slfac_sim.analysis.studies.answers_table import answers_table, rule
from slfac_sim.analysis.studies.guide import how_to_read
from slfac_sim.analysis.studies.headline import headline
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.studies.study import BYTES, JOULES, ROUNDS, SECONDS, StudyPoints
from slfac_sim.analysis.studies.summary import point_rows, study_summary
from slfac_sim.analysis.studies.words import closing_lines
from slfac_sim.analysis.text_tables import as_markdown, markdown, write_csv
from slfac_sim.foundation.plugins import kinds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS_CSV, SUMMARY, REPORT, DRAWN = "points.csv", "summary.json", "report.md", "figures"
FIGURES = "slfac_sim.analysis.studies.figures"


def finish_study(folder: Path, out: Path | None = None) -> list[str]:
    """Write the tables, summary, report and figures of the study in `folder`; return the closing lines.

    They go into the folder itself, or into `out`; what is there is written over, and equal points give equal
    files. Raises `BadInput` for a damaged folder.
    """
    study = load_study(folder)
    closing = closing_lines(study)
    out = out or folder
    out.mkdir(parents=True, exist_ok=True)
    write_tables(study, out, closing)
    draw_study(study, out / DRAWN)
    return closing


def write_tables(study: StudyPoints, out: Path, closing: Sequence[str]) -> None:
    """Write `points.csv`, `summary.json` and `report.md` of `study` into the folder `out`."""
    write_csv(point_rows(study), out / POINTS_CSV)
    summary = json.dumps(study_summary(study, closing), indent=2, allow_nan=False)
    (out / SUMMARY).write_text(summary + "\n", encoding="utf-8")
    (out / REPORT).write_text("\n".join(report_lines(study, closing)) + "\n", encoding="utf-8")


def draw_study(study: StudyPoints, out: Path, page: Page = SCREEN, names: Sequence[str] = ()) -> list[Path]:
    """Draw what the study has figures for into `out`, for a `page`; return the files with their tables.

    Where `names` are given, those are drawn: raises `BadInput` for one that is unknown, or if the study has
    nothing for any.
    """
    # matplotlib takes half a second to import: not before the folder is known to be good
    from slfac_sim.analysis.saving import save_with_table
    from slfac_sim.analysis.style import house_style

    check_names(names, kinds(FIGURES))
    figures = {name: importlib.import_module(f"{FIGURES}.{name}") for name in names or kinds(FIGURES)}
    shown = {name: data for name, figure in figures.items() if (data := figure.data(study)) is not None}
    check_shown(names, shown, [study.folder])
    files: list[Path] = []
    with house_style(page):
        for name, data in shown.items():
            figure = figures[name]
            files += save_with_table(figure.draw(data), figure.table(data), out, name)
    return files


def figure_of(study: StudyPoints, name: str, page: Page = SCREEN) -> "Figure | None":
    """Return the figure `name` of the study, for a `page`; None where it has nothing for it."""
    from slfac_sim.analysis.style import house_style

    module = importlib.import_module(f"{FIGURES}.{name}")
    data = module.data(study)
    if data is None:
        return None
    with house_style(page):
        figure: Figure = module.draw(data)
    return figure


def report_lines(study: StudyPoints, closing: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the report, in Markdown: the answers first, then the tables behind them."""
    yield from (f"# Study: {as_markdown(study.name)}", "", "## Answers", "")
    rows = answers_table(study)
    if rows:
        yield from _paragraphs([headline(study), *closing_lines(study, is_tabled=True), rule(study)])
        yield from (*markdown(rows), "")
    else:
        yield from _paragraphs(closing)
    yield from ("## How to read it", "", *(f"- {line}" for line in how_to_read(study, in_markdown=True)), "")
    yield from _section("Time, bytes and energy to each target", tables.costs_table(study))
    yield from _section("Bytes over each wire to each target", tables.wires_table(study))
    for target in study.targets:
        yield from _section(f"Seconds to {target_words(target)}", tables.times_table(study, target))
        if study.rivals:
            title = f"Times as fast as {study.short_label(study.baseline)}, to {target_words(target)}"
            yield from _section(title, tables.ratios_table(study, target))
    yield from _section("Equal rounds", tables.budget_table(study, ROUNDS))
    yield from _section("Equal bytes (payload, all directions)", tables.budget_table(study, BYTES))
    yield from _section("Equal seconds", tables.budget_table(study, SECONDS))
    yield from _section("Equal energy (drawn by all devices)", tables.budget_table(study, JOULES))
    yield from _section("What the time goes into", tables.parts_table(study))
    yield from _section("Handovers of a run, and who came last", tables.handovers_table(study))
    yield from _section("Learning and air", tables.air_table(study, main_target(study)))
    yield from _section("Points that failed", tables.failures_table(study))


def _paragraphs(closing: Sequence[str]) -> Iterator[str]:
    """Yield the closing lines as paragraphs, indented ones as a list."""
    for i, line in enumerate(closing):
        yield f"- {as_markdown(line.strip())}" if line.startswith(" ") else as_markdown(line)
        following = closing[i + 1] if i + 1 < len(closing) else ""
        if not (line.startswith(" ") and following.startswith(" ")):
            yield ""


def _section(title: str, table: tables.Table) -> Iterator[str]:
    if table:
        yield from (f"## {as_markdown(title)}", "", *markdown(table), "")
