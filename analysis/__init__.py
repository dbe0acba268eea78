"""Figures and tables of finished runs: it reads folders only, and knows neither torch nor a simulator.

run = analysis.load("runs/latest")
run.frame("evals")
analysis.figure("time_to_accuracy", [run, "runs/quick/20261129-053854"])
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from slfac_sim.analysis.answer_result import Answer as Answer
    from slfac_sim.analysis.results import RunResult as RunResult
    from slfac_sim.analysis.study_result import StudyResult as StudyResult

__all__ = ["Answer", "RunResult", "StudyResult", "figure", "load"]


def __getattr__(name: str) -> Any:
    """Import one of the classes when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'slfac_sim.analysis' has no attribute '{name}'")
    from slfac_sim.analysis import loading

    return getattr(loading, name)


def load(path: str | Path) -> "RunResult | StudyResult | Answer":
    """Return the run, the study or the answer in the folder `path`: its summary, tables and figures.

    Raises `BadInput` for anything else.
    """
    from slfac_sim.analysis.loading import loaded

    return loaded(Path(path))


def figure(name: str, runs: "RunResult | str | Path | Iterable[RunResult | str | Path]") -> "Figure":
    """Return the figure `name` of a run, or of several on one axis; each is a result, or the folder of one.

    Raises `BadInput` for an unknown figure, for one that shows a single run, and where none of the runs has
    anything for it.
    """
    from slfac_sim.analysis.loading import figure_of_runs

    return figure_of_runs(name, runs)
