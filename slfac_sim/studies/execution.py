"""How a sweep is carried out: here, by as many workers as cores and memory allow, or on a cluster."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from slfac_sim.analysis.format import count
from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.callbacks import NOBODY, Trackers
from slfac_sim.studies.budget import budget_bytes, workers_for, workers_within
from slfac_sim.studies.cost import Cost, cost_of
from slfac_sim.studies.engines import Engine
from slfac_sim.studies.folder import StudyFolder, place_of
from slfac_sim.studies.forecast import forecast, memory_of
from slfac_sim.studies.jobs import Demand, Train
from slfac_sim.studies.plan import Plan, Point, foreign_packages
from slfac_sim.studies.sweep import Failure, Watcher, missing_trainings, sweep, unfinished
from slfac_sim.studies.trainings import DEFAULT, clear_remains, has, with_other_threads


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
    folder, plan = StudyFolder(out or place_of(whole.study.name)), part or whole
    execution.trackers.open()
    folder.check()
    clear_remains(execution.cache)
    points = unfinished(plan, folder)
    jobs = missing_trainings(plan, points, execution.cache, execution.weights)
    again = sum(has(execution.cache, job.key) for job in jobs)
    if again:
        watcher.note(
            f"{count(again, 'training')} on record without a model: done again to keep it (--weights)"
        )
    if remark := with_other_threads((job.scenario for job in jobs), plan.study.threads, execution.cache):
        watcher.note(remark)
    with (
        _engine(plan, jobs, points, execution, watcher) as engine,
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
    plan: Plan, jobs: Sequence[Train], points: Sequence[Point], execution: Execution, watcher: Watcher
) -> Iterator[Engine | None]:
    """Yield the engine for `jobs` and `points`, each kind of job tried; None if nothing is left."""
    if not points and not jobs:
        watcher.say(f"all {len(plan.points)} points are there already")
        yield None
        return
    begun = _on_ray if execution.engine == "ray" else _local
    with begun(plan, jobs, points, execution, watcher) as engine:
        watcher.workers = engine.workers
        yield engine


@contextmanager
def _on_ray(
    plan: Plan, jobs: Sequence[Train], points: Sequence[Point], execution: Execution, watcher: Watcher
) -> Iterator[Engine]:
    """Yield the engine on a cluster; every worker takes one processor of it for each host thread."""
    from slfac_sim.studies.engines.on_ray import OnRay

    address = execution.address
    watcher.say("starting Ray on this machine" if address is None else f"joining the Ray cluster {address}")
    with OnRay(
        execution.cache, address, execution.workers, foreign_packages(plan, execution.trackers.names)
    ) as engine:
        if jobs:
            engine.check(plan.study.threads)
        demands, processors = forecast(jobs, engine), engine.workers
        engine.reserve(demands)
        watcher.say(f"{processors} processors; Ray decides how many jobs run at once")
        at_once = max(1, processors // plan.study.threads)
        cost = cost_of(plan, points, jobs, demands, execution.cache, at_once, processors)
        _tell(cost, execution.cache, watcher)
        yield engine


@contextmanager
def _local(
    plan: Plan, jobs: Sequence[Train], points: Sequence[Point], execution: Execution, watcher: Watcher
) -> Iterator[Engine]:
    """Yield the engine of this machine, with as many workers as cores and memory allow."""
    from slfac_sim.studies.engines.local import Local

    most = workers_for(len(jobs), len(points), plan.study.threads, execution.workers)
    demands: dict[str, Demand] = {}
    if jobs:
        budget = budget_bytes(execution.memory)
        with Local(execution.cache, 1) as first:
            demands = forecast(jobs, first)
        workers = workers_within(budget, memory_of(demands), most)
        watcher.say(f"{count(workers, 'worker')}: {_budget_words(workers, most, memory_of(demands), budget)}")
    else:
        workers = most
        watcher.say(f"{count(most, 'worker')}; every training is on record in {execution.cache}")
    _tell(cost_of(plan, points, jobs, demands, execution.cache, workers), execution.cache, watcher)
    with Local(execution.cache, workers) as engine:
        yield engine


def _tell(cost: Cost, cache: Path, watcher: Watcher) -> None:
    """Say what is left of the study costs, and in any case that the disk is too small for it."""
    watcher.say(cost.words)
    if remark := cost.remark_on(cache):
        watcher.note(remark)


def _budget_words(workers: int, most: int, each_bytes: float, budget: float | None) -> str:
    each = f"a training takes about {each_bytes / 1e9:.2f} GB"
    if budget is None:
        return f"{each}, and this system does not say how much memory it has"
    within = f"{each} of a budget of {budget / 1e9:.1f} GB"
    if workers * each_bytes > budget:
        return f"{within}, which is too little for one; trying nevertheless"
    return f"{within}, which allows no more" if workers < most else within
