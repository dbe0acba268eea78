"""Small studies for the tests, and an engine that does everything at once in this process."""

from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from slfac_sim.studies.engines import Outcome, attempt
from slfac_sim.studies.engines.local import perform
from slfac_sim.studies.files import Changes, read_study
from slfac_sim.studies.folder import StudyFolder
from slfac_sim.studies.jobs import Job
from slfac_sim.studies.plan import Plan, plan
from slfac_sim.studies.sweep import Failure, missing_trainings, sweep, unfinished

TINY = Path(__file__).with_name("tiny.yaml")


def tiny_plan(*axes: str, seeds: str = "1", asked: str | Path = TINY, **changes: Any) -> Plan:
    return plan(read_study(str(asked), Changes(axes=axes, seeds=seeds, **changes)))


class Here:
    """An engine without processes; `spoil` may replace the outcome of a job."""

    workers = 1

    def __init__(self, cache: Path, spoil: Callable[[Job], Outcome | None] = lambda job: None) -> None:
        self.done: list[Job] = []
        self._cache = cache
        self._spoil = spoil
        self._waiting: deque[Job] = deque()

    def submit(self, job: Job) -> None:
        self._waiting.append(job)

    def next(self, timeout_s: float) -> Outcome | None:
        job = self._waiting.popleft()
        self.done.append(job)
        return self._spoil(job) or Outcome(job, *attempt(perform, job, self._cache))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is under way."""


class Silent:
    """A watcher that counts what is tried again."""

    def __init__(self) -> None:
        self.retries = 0

    def begin(self, *figures: int) -> None:
        self.figures = figures

    def ended(self, outcome: Outcome) -> None: ...

    def retried(self, outcome: Outcome) -> None:
        self.retries += 1

    def tick(self) -> None: ...


def swept(whole: Plan, folder: Path, engine: Any, cache: Path, retries: int = 1) -> list[Failure]:
    """Run `whole` into `folder` and return what failed."""
    study = StudyFolder(folder)
    study.open(whole)
    points = unfinished(whole, study)
    jobs = missing_trainings(whole, points, cache)
    return sweep(whole, points, jobs, study, engine, Silent(), retries)


def rows(folder: Path) -> dict[str, str]:
    """Return the text of every point's file by its name."""
    return {file.name: file.read_text() for file in (folder / "points").glob("*.json")}
