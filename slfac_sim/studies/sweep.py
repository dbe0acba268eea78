"""The sweep: from a plan to a row for every point, through an engine, with retries and a watcher.

It knows no pool, no cluster and no terminal.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from slfac_sim.runs.callbacks import NOBODY, Audience, Trackers
from slfac_sim.studies import trainings
from slfac_sim.studies.engines import Engine, Outcome
from slfac_sim.studies.folder import StudyFolder
from slfac_sim.studies.jobs import TOLD, Job, Replay, Train, head
from slfac_sim.studies.plan import Plan, Point, title
from slfac_sim.studies.telling import Told, tell

_POLL_S = 0.2


class Watcher(Protocol):
    """Sees how the sweep goes on, for a display; `workers` are those of its engine."""

    workers: int

    def opened(self, folder: Path) -> None:
        """Take the folder of the study, which is there now."""
        ...

    def say(self, line: str) -> None:
        """Take a line about what takes long."""
        ...

    def note(self, sentence: str) -> None:
        """Take a sentence that a user should read in any case."""
        ...

    def begin(self, trainings_left: int, trainings_all: int, points_left: int, points_all: int) -> None:
        """Take how much there is to do; the rest is on disk."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """Take a job that is over for good."""
        ...

    def retried(self, outcome: Outcome) -> None:
        """Take a job that is tried again."""
        ...

    def tick(self) -> None:
        """Know that time has passed."""
        ...


@dataclass(frozen=True)
class Failure:
    """A training or a point that failed, and why; `points` is the number of points that it cost."""

    what: str
    reason: str
    points: int


def unfinished(plan: Plan, folder: StudyFolder) -> list[Point]:
    """Return the points without a finished row, training by training; those that failed are tried again."""
    order = {key: number for number, key in enumerate(plan.trainings)}
    rows = ((point, folder.row(point)) for point in plan.points)
    left = [point for point, row in rows if row is None or row["status"] != "finished"]
    return sorted(left, key=lambda point: order[point.training])


def missing_trainings(plan: Plan, points: Iterable[Point], cache: Path, weights: bool = False) -> list[Train]:
    """Return the trainings that `points` need and that are not in `cache`.

    If `weights` are wanted, these are all trainings of the plan whose model is not in `cache`.
    """
    needed = plan.trainings.keys() if weights else {point.training for point in points}
    return [
        Train(key, scenario, plan.study.threads, weights)
        for key, scenario in plan.trainings.items()
        if key in needed and not trainings.has(cache, key, weights)
    ]


def sweep(
    plan: Plan,
    points: Sequence[Point],
    jobs: Sequence[Train],
    folder: StudyFolder,
    engine: Engine,
    watcher: Watcher,
    retries: int = 1,
    trackers: Trackers = NOBODY,
) -> list[Failure]:
    """Give the `points` of `plan`, those `unfinished`, a row in `folder` and return what failed.

    `jobs` are the `missing_trainings` of these and come first; the points of each are replayed when it is
    there. A job whose worker died, or that raised something unexpected, is tried again up to `retries` times.
    The `trackers` are told of each point when it is done.
    """
    watcher.begin(len(jobs), len(plan.trainings), len(points), len(plan.points))
    return _Sweep(folder, engine, watcher, retries, trackers).run(jobs, points)


@dataclass
class _Sweep:
    """The state of one sweep: which points wait for which training, and what has failed so far."""

    folder: StudyFolder
    engine: Engine
    watcher: Watcher
    retries: int
    trackers: Trackers = NOBODY
    _waiting: dict[str, list[Point]] = field(default_factory=lambda: defaultdict(list))
    _tried: Counter[str] = field(default_factory=Counter)
    _failures: list[Failure] = field(default_factory=list)
    _said: set[str] = field(default_factory=set)
    _open: int = 0

    def run(self, jobs: Sequence[Train], points: Sequence[Point]) -> list[Failure]:
        """Do all `jobs`, then the replays of `points`, and return the failures."""
        absent = {job.key for job in jobs}
        for point in points:
            if point.training in absent:
                self._waiting[point.training].append(point)
        for job in jobs:
            self._submit(job)
        self._replay(point for point in points if point.training not in absent)
        while self._open:
            outcome = self.engine.next(_POLL_S)
            if outcome is not None:
                self._take(outcome)
            self.watcher.tick()
        return self._failures

    def _submit(self, job: Job) -> None:
        self._open += 1
        self.engine.submit(job)

    def _replay(self, points: Iterable[Point]) -> None:
        for point in points:
            self._submit(Replay(point, self.trackers, self.folder.path.resolve()))

    def _take(self, outcome: Outcome) -> None:
        self._open -= 1
        job = outcome.job
        self._tried[job.key] += 1
        if outcome.reason and outcome.again and self._tried[job.key] <= self.retries:
            self.watcher.retried(outcome)
            self._submit(job)
            return
        if isinstance(job, Train):
            self._after_training(job, outcome)
        elif isinstance(job, Replay):
            self._after_replay(job, outcome)
        self.watcher.ended(outcome)

    def _after_training(self, job: Train, outcome: Outcome) -> None:
        points = self._waiting.pop(job.key, [])
        if not outcome.reason:
            self._replay(points)
            return
        of = f" ({title(points[0])})" if points else ""
        self._failures.append(Failure(f"training {job.key}{of}", outcome.reason, len(points)))
        for point in points:
            self.folder.write(head(point, "failed", f"its training failed: {outcome.reason}"))

    def _after_replay(self, job: Replay, outcome: Outcome) -> None:
        if outcome.reason:
            self._failures.append(Failure(title(job.point), outcome.reason, 1))
            self.folder.write(head(job.point, "failed", outcome.reason))
            return
        told: Told | None = outcome.value.pop(TOLD, None)
        if told is not None:
            self._tell(job.point, told)
        self.folder.write(outcome.value)

    def _tell(self, point: Point, told: Told) -> None:
        """Write the logs of a point, and say of each callback once that it failed."""
        said = list(told.said)
        logs = Audience(Trackers(logs=self.trackers.logs).open(), said.append)
        tell(logs, point, self.folder.path, told.notes, told.summary)
        for sentence in said:
            who = sentence.partition(" failed ")[0]
            if who not in self._said:
                self._said.add(who)
                self.watcher.note(f"{title(point)}: {sentence}")
