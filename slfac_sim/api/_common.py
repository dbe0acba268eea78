"""What the functions of the API share: what they are given, how they warn, and how a run ended."""

import functools
import sys
import warnings
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from slfac_sim.analysis.results import RunResult
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import load as load_run
from slfac_sim.scenario.from_python import Given, Override, scenario_of, texts_of, value_text
from slfac_sim.scenario.own_plugins import places_beside
from slfac_sim.scenario.schema import Scenario
from slfac_sim.studies.files import Changes, read_study

if TYPE_CHECKING:
    from slfac_sim.runs.callbacks import Given as GivenCallback
    from slfac_sim.runs.callbacks import Trackers
    from slfac_sim.studies.plan import Plan as StudyPlan

P = ParamSpec("P")
T = TypeVar("T")
Place = str | PathLike[str]
Values = str | Sequence[Any]


class RunFailed(Exception):
    """A run that failed: `run` is what was recorded until then."""

    def __init__(self, message: str, run: RunResult) -> None:
        super().__init__(message, run)
        self.run = run

    def __str__(self) -> str:
        return str(self.args[0])


def plainly(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function so that what a user has to know comes without the traceback of how it was found."""

    @functools.wraps(function)
    def call(*arguments: P.args, **settings: P.kwargs) -> T:
        try:
            return function(*arguments, **settings)
        except (BadInput, RunFailed, KeyboardInterrupt) as error:
            raise error.with_traceback(None) from None

    return call


def scenario_read(
    given: Given, overrides: Sequence[Override], seed: int | None
) -> tuple[Scenario, list[str]]:
    """Return the scenario, and a sentence for each setting that an override drops."""
    notes: list[str] = []
    scenario = scenario_of(given, texts_of(overrides), seed, notes.append)
    for sentence in notes:
        warn(sentence)
    return scenario, notes


def plan_of(study: Given, changes: Changes) -> "StudyPlan":
    """Return the plan of a study; what its values drop is warned of."""
    from slfac_sim.studies.plan import plan

    whole = plan(read_study(study, changes))
    for sentence in whole.notes:
        warn(sentence)
    return whole


def trackers_in(log: str | Sequence[str], callbacks: "Sequence[GivenCallback]", beside: object) -> "Trackers":
    """Return who is told of a run of what lies `beside`. Raises `BadInput`."""
    from slfac_sim.runs.callbacks import trackers_of

    logs = [log] if isinstance(log, str) else log
    return trackers_of(logs, callbacks, places_beside(beside))


def ended(folder: Path) -> RunResult:
    """Return the run in `folder`, or raise how else it ended."""
    run = RunResult(load_run(folder))
    told = f"{run.summary['reason']} (in {folder}: sf.analysis.load reads it"
    if run.status == "interrupted":
        raise KeyboardInterrupt(f"{told}, sf.resume goes on with it)")
    if run.status == "failed":
        raise RunFailed(f"{told})", run)
    return run


def folder_of(run: RunResult | Place) -> Path:
    """Return the folder of a run."""
    return run.folder if isinstance(run, RunResult) else Path(run)


def path_of(place: Place | None) -> Path | None:
    """Return `place` as a path, if there is one."""
    return None if place is None else Path(place)


def cache_of(place: Place | None) -> Path:
    """Return where trainings are kept: `place`, or where they are by default."""
    from slfac_sim.studies.trainings import DEFAULT

    return DEFAULT if place is None else Path(place)


def joined(values: Values, path: str = "") -> str:
    """Return several values, of the setting at `path`, as the command line has them: ``1 MHz,5 MHz``."""
    return values if isinstance(values, str) else ",".join(value_text(value, path) for value in values)


def warn(sentence: str) -> None:
    """Warn the caller of the API: of its line, whatever lies between."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("slfac_sim."):
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, UserWarning, stacklevel=level)
