"""How a sweep is carried out: here, by as many workers as cores and memory allow, or on a cluster."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slfac_sim.analysis.format import about, count
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.host import available_bytes
from slfac_sim.foundation.units import parse_quantity
from slfac_sim.runs.callbacks import NOBODY, Trackers
from slfac_sim.studies.engines import Engine
from slfac_sim.studies.folder import StudyFolder
from slfac_sim.studies.forecast import forecast, memory_of, seconds_of, workers_for
from slfac_sim.studies.jobs import Train
from slfac_sim.studies.plan import Plan, foreign_packages
from slfac_sim.studies.sweep import Failure, Watcher, missing_trainings, sweep, unfinished
from slfac_sim.studies.trainings import DEFAULT, clear_remains

_SHARE = 0.8  # of the available memory, by default


@dataclass(frozen=True)
class Execution:
    """How a sweep is carried out: the options of `sweep`. Raises `BadInput` for what does not go together."""

    cache: Path = DEFAULT
    engine: Literal["local", "ray"] = "local"
    address: str | None = None
    workers: int | None = None
    memory: str | None = None
    retries: int = 1
    weights: bool = False
    trackers: Trackers = NOBODY

    def __post_init__(self) -> None:
        if self.trackers.objects:
            wanted = "a class in a file of its own, or its dotted name"
            raise BadInput(f"callback: workers of a sweep make it themselves, and need {wanted}")
        if self.workers is not None and self.workers < 1:
            raise BadInput(f"--workers {self.workers}: must be at least 1")
        if self.retries < 0:
            raise BadInput(f"--retries {self.retries}: must be at least 0")
        if self.address is not None and self.engine != "ray":
            raise BadInput("--address: is that of a Ray cluster; add --engine ray")
        if self.address is not None and self.workers is not None:
            raise BadInput("--workers: an existing cluster has its own; leave it out beside --address")
        if self.memory is not None and self.engine == "ray":
            raise BadInput("--memory: is a budget of this machine; leave it out beside --engine ray")


@dataclass(frozen=True)
class Swept:
    """What a sweep has left: the `folder` of the study, what failed, and the `closing` lines.

    There are none while points of other shards are missing.
    """

    folder: Path
    failures: Sequence[Failure]
    closing: Sequence[str] | None


def conduct(
    whole: Plan, execution: Execution, watcher: Watcher, out: Path | None = None, part: Plan | None = None
) -> Swept:
    """Do `part` of the study `whole`, or all of it, in the folder `out`; the last part writes the report.

    The folder is ``runs/studies/NAME`` by default; it is left as it is until every kind of training has been
    tried. Raises `BadInput`.
    """
    folder, plan = StudyFolder(out or Path("runs") / "studies" / whole.study.name), part or whole
    execution.trackers.open()
    folder.check()
    clear_remains(execution.cache)
    points = unfinished(plan, folder)
    jobs = missing_trainings(plan, points, execution.cache, execution.weights)
    with (
        _engine(plan, jobs, len(points), execution, watcher) as engine,
        folder.in_use(whole) as aside,
    ):
        _tell_opened(folder, aside, watcher)
        failures = (
            sweep(plan, points, jobs, folder, engine, watcher, execution.retries, execution.trackers)
            if engine
            else []
        )
    if not folder.complete(whole.points):
        return Swept(folder.path, failures, None)
    from slfac_sim.analysis.studies.report import finish_study

    watcher.say("writing tables and figures")
    return Swept(folder.path, failures, finish_study(folder.path))


def _tell_opened(folder: StudyFolder, aside: int, watcher: Watcher) -> None:
    watcher.opened(folder.path)
    if aside:
        watcher.note(f"{count(aside, 'point')} of an earlier form of the study set aside, in {folder.aside}")


@contextmanager
def _engine(
    plan: Plan, jobs: Sequence[Train], points: int, execution: Execution, watcher: Watcher
) -> Iterator[Engine | None]:
    """Yield the engine for `jobs` and so many `points`, each kind of job tried; None if nothing is left."""
    if not points:
        watcher.say(f"all {len(plan.points)} points are there already")
        yield None
        return
    begun = _on_ray if execution.engine == "ray" else _local
    with begun(plan, jobs, points, execution, watcher) as engine:
        watcher.workers = engine.workers
        yield engine


@contextmanager
def _on_ray(
    plan: Plan, jobs: Sequence[Train], points: int, execution: Execution, watcher: Watcher
) -> Iterator[Engine]:
    """Yield the engine on a cluster; every worker takes one processor of it for each host thread."""
    from slfac_sim.studies.engines.on_ray import OnRay

    address = execution.address
    watcher.say("starting Ray on this machine" if address is None else f"joining the Ray cluster {address}")
    with OnRay(
        execution.cache, address, execution.workers, foreign_packages(plan, execution.trackers.names)
    ) as engine:
        forecast(jobs, engine)
        watcher.say(f"{engine.workers} processors; Ray decides how many jobs run at once")
        yield engine


@contextmanager
def _local(
    plan: Plan, jobs: Sequence[Train], points: int, execution: Execution, watcher: Watcher
) -> Iterator[Engine]:
    """Yield the engine of this machine, with as many workers as cores and memory allow."""
    from slfac_sim.studies.engines.local import Local

    most = workers_for(len(jobs), points, plan.study.threads, execution.workers)
    if jobs:
        budget = budget_bytes(execution.memory)
        with Local(execution.cache, 1) as first:
            demands = forecast(jobs, first)
        workers = workers_within(budget, memory_of(demands), most)
        watcher.say(f"{workers} workers: {_budget_words(workers, most, memory_of(demands), budget)}")
        watcher.say(f"about {about(seconds_of(demands, points, workers))} on this host")
    else:
        workers = most
        watcher.say(f"{most} workers; every training is on record in {execution.cache}")
    with Local(execution.cache, workers) as engine:
        yield engine


def budget_bytes(text: str | None) -> float | None:
    """Return the budget in bytes: `text`, or 80 % of what is available; None where nobody can tell."""
    if text is None:
        available = available_bytes()
        return None if available is None else _SHARE * available
    try:
        nbytes = parse_quantity(text, "size")
    except ValueError as error:
        raise BadInput(f"--memory {text}: {error}") from error
    if nbytes <= 0:
        raise BadInput(f"--memory {text}: must be more than 0")
    return nbytes


def workers_within(budget: float | None, each_bytes: float, most: int) -> int:
    """Return how many workers of `each_bytes` fit into `budget`, at most `most` and at least 1."""
    return most if budget is None else max(1, min(most, int(budget // each_bytes)))


def _budget_words(workers: int, most: int, each_bytes: float, budget: float | None) -> str:
    each = f"a training takes about {each_bytes / 1e9:.2f} GB"
    if budget is None:
        return f"{each}, and this system does not say how much memory it has"
    within = f"{each} of a budget of {budget / 1e9:.1f} GB"
    if workers * each_bytes > budget:
        return f"{within}, which is too little for one; trying nevertheless"
    return f"{within}, which allows no more" if workers < most else within
