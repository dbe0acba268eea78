"""From folders to their page; the page is written beside what it is of."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slfac_sim.analysis.answer_result import Answer, is_answer
from slfac_sim.analysis.format import count
from slfac_sim.analysis.report.blocks import Block, Items, Section, Text
from slfac_sim.analysis.report.damaged import run_in
from slfac_sim.analysis.report.page import page, sections
from slfac_sim.analysis.rows import forget
from slfac_sim.analysis.studies.reading import is_study, load_study
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.files import write_text
from slfac_sim.ledger.folder import load
from slfac_sim.ledger.places import expected_run

PAGE = "report.html"
_ROOMS = "slfac_sim.analysis.report"


def write_report(folders: Path | Sequence[Path], out: Path | None = None) -> Path:
    """Write the report of what lies in a folder, or of several runs; return the file.

    Its default is ``report.html``, in the folder, or of several here. Raises `BadInput`.
    """
    given = [folders] if isinstance(folders, Path) else list(folders)
    html = report_of(*given)
    target = out or (given[0] / PAGE if len(given) == 1 else Path(PAGE))
    try:
        write_text(target, html)
    except OSError as error:
        raise BadInput(f"{target}: cannot write the report ({error.strerror})") from error
    return target


def report_of(*folders: Path) -> str:
    """Return the page of a run, of a study, of an answer of `ask` or `crossover`, or of several runs.

    Raises `BadInput`.
    """
    if not folders:
        raise BadInput("report: no folder is given")
    if len(folders) > 1:
        return _of_runs(folders)
    (folder,) = folders
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder; {expected_run(folder, 'a run, a study or an answer')}")
    if is_study(folder):
        return _of_study(folder)
    if is_answer(folder):
        answer = Answer(folder)
        return _page("answer", answer.question, "What was asked, and what came of it", answer)
    return _of_run(folder)


def _of_run(folder: Path) -> str:
    """Return the page of a run; what is missing or damaged is told first, without where the folder lies."""
    run, damage = run_in(folder)
    made = [*_told(damage), *sections(f"{_ROOMS}.run", run)]
    forget()
    parts = [_without_place(part, run.folder) for part in made]
    return page(run.summary["scenario"], parts, f"{run.label}; run {run.folder.name}")


def _of_study(folder: Path) -> str:
    """Return the page of a study; points that cannot be read are told first."""
    damage: list[str] = []
    study = load_study(folder, damage)
    parts = [_without_place(part, folder) for part in (*_told(damage), *sections(f"{_ROOMS}.study", study))]
    return page(study.name, parts, f"A study of {count(study.size, 'point')}")


def _told(damage: Sequence[str]) -> list[Section]:
    return [Section("damage", "What is missing or damaged", [Items(damage)])] if damage else []


def _without_place(part: Section, folder: Path) -> Section:
    def bare(text: str) -> str:
        return text.replace(f"{folder}/", "").replace(f"{folder}: ", "").replace(str(folder), folder.name)

    def told(block: Block) -> Block:
        if isinstance(block, Items):
            return Items([bare(line) for line in block.lines])
        return replace(block, text=bare(block.text)) if isinstance(block, Text) else block

    return replace(part, blocks=list(map(told, part.blocks)), damage=bare(part.damage))


def _of_runs(folders: Sequence[Path]) -> str:
    for folder in folders:
        if is_study(folder) or is_answer(folder):
            what = "a study" if is_study(folder) else "an answer"
            raise BadInput(f"{folder}: is {what}, which has a report of its own; runs alone are compared")
    runs = [load(folder) for folder in folders]
    names = dict.fromkeys(run.summary["scenario"] for run in runs)
    return _page("runs", ", ".join(names), f"{count(len(runs), 'run')} compared", runs)


def _page(room: str, title: str, subtitle: str, of: Any) -> str:
    made = list(sections(f"{_ROOMS}.{room}", of))
    forget()
    return page(title, made, subtitle)
