"""Folders as objects for a notebook: a run, a study or an answer, and one figure of several runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from slfac_sim.analysis.answer_result import Answer, is_answer
from slfac_sim.analysis.asked import nothing_for
from slfac_sim.analysis.results import RunResult
from slfac_sim.analysis.studies.reading import is_study, load_study
from slfac_sim.analysis.study_result import StudyResult
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import load as load_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def loaded(folder: Path) -> RunResult | StudyResult | Answer:
    """Return the run, the study or the answer in `folder`. Raises `BadInput` for anything else."""
    if is_study(folder):
        return StudyResult(load_study(folder))
    return Answer(folder) if is_answer(folder) else RunResult(load_run(folder))


def figure_of_runs(name: str, runs: RunResult | str | Path | Iterable[RunResult | str | Path]) -> "Figure":
    """Return the figure `name` of `runs` on one axis; see `slfac_sim.analysis.figure`. Raises `BadInput`."""
    if isinstance(runs, RunResult | str | Path):
        runs = [runs]
    given = [run if isinstance(run, RunResult) else RunResult(load_run(run)) for run in runs]
    if not given:
        raise BadInput("figure: no runs are given")
    given[0].known_figure(name)
    from slfac_sim.analysis.draw import figure_of

    figure = figure_of([run.run for run in given], name)
    if figure is None:
        raise BadInput(nothing_for(name, [run.folder for run in given]))
    return figure
