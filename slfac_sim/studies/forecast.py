"""What a study will take of this host: its trainings on trial, then workers, time, memory and disk.

Nothing is trained.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slfac_sim.analysis.format import count
from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.planned import Plan as Planned
from slfac_sim.scenario.schema import Seed
from slfac_sim.scenario.steering import steered
from slfac_sim.studies.budget import budget_bytes, workers_for, workers_within
from slfac_sim.studies.cost import Cost, cost_of
from slfac_sim.studies.engines import Engine, Outcome, attempt
from slfac_sim.studies.folder import StudyFolder, place_of
from slfac_sim.studies.jobs import Demand, Forecast, Train, demand
from slfac_sim.studies.plan import Plan, Point
from slfac_sim.studies.sweep import missing_trainings, unfinished
from slfac_sim.studies.trainings import DEFAULT, with_other_threads

_POLL_S = 0.2


def forecast(jobs: Sequence[Train], engine: Engine | None = None) -> dict[str, Demand]:
    """Return by its key what each of `jobs` will take, as `engine` sees it, or without one this process.

    One of each kind is tried: trainings that differ in their seed alone take the same. What a worker dies of
    is left to the trainings themselves, unless it befalls all. Raises `BadInput` with all that is wrong.
    """
    kinds: dict[str, list[Train]] = defaultdict(list)
    for job in jobs:
        kinds[repr(replace(job.scenario, seed=Seed()))].append(job)
    alike = {same[0].key: [job.key for job in same] for same in kinds.values()}
    trials = [Forecast(same[0].key, same[0].scenario, same[0].threads) for same in kinds.values()]
    outcomes = list(_outcomes(trials, engine))
    demands = {key: one.value for one in outcomes if not one.reason for key in alike[one.job.key]}
    wrong = [_refusal(one) for one in outcomes if one.reason and not (one.again and demands)]
    if wrong:
        raise BadInput("\n".join(dict.fromkeys(wrong)))
    return demands


def _refusal(outcome: Outcome) -> str:
    """Return why a trial came to nothing, and of one whose worker died what it was for."""
    return f"a trial of training {outcome.job.key}: {outcome.reason}" if outcome.again else outcome.reason


def _outcomes(trials: Sequence[Forecast], engine: Engine | None) -> Iterator[Outcome]:
    if engine is None:
        yield from (Outcome(trial, *attempt(demand, trial)) for trial in trials)
        return
    for trial in trials:
        engine.submit(trial)
    left = len(trials)
    while left:
        outcome = engine.next(_POLL_S)
        if outcome is not None:
            left -= 1
            yield outcome


def memory_of(demands: Mapping[str, Demand]) -> int:
    """Return the bytes of the largest training."""
    return max((demand.memory_bytes for demand in demands.values()), default=0)


def planned(plan: Plan) -> Planned:
    """Return what is left of `plan` to run, told to people and to programs. Raises `BadInput`."""
    points = unfinished(plan, StudyFolder(place_of(plan.study.name)))
    jobs = missing_trainings(plan, points, DEFAULT)
    demands = forecast(jobs)
    most = workers_for(len(jobs), len(points), plan.study.threads)
    workers = workers_within(budget_bytes(None), memory_of(demands), most) if jobs else most
    cost = cost_of(plan, points, jobs, demands, DEFAULT, workers)
    facts = _facts(plan, points, jobs, cost)
    left = [job.scenario for job in missing_trainings(plan, plan.points, DEFAULT)]
    others = with_other_threads(left, plan.study.threads, DEFAULT)
    remarks = others, cost.remark_on(DEFAULT)
    return Planned(plan.study.name, _lines(plan, facts, cost), facts, tuple(filter(None, remarks)))


def _facts(plan: Plan, points: Sequence[Point], jobs: Sequence[Train], cost: Cost) -> dict[str, Any]:
    """Return what `plan` would run and take of this host, for JSON."""
    return {
        "points": len(plan.points),
        "points_done": len(plan.points) - len(points),
        "replays": sum(steered(point.scenario) is None for point in plan.points),
        "trainings": len(plan.trainings),
        "trainings_on_record": len(plan.trainings) - len(missing_trainings(plan, plan.points, DEFAULT)),
        "trainings_left": len(jobs),
        "workers": cost.workers,
        "threads": plan.study.threads,
        "host_s": cost.seconds,
        "host_cpu_s": cost.cpu_s,
        "memory_bytes": cost.memory_bytes,
        "disk_bytes": cost.disk_bytes,
    }


def _replays(points: int, replays: int) -> str:
    """Say how many of the points are replays; of the others timing steers what is learnt."""
    if replays == points:
        return "each a replay"
    return f"{replays:,} of them replays" if replays else "each a training of its own"


def _lines(plan: Plan, facts: Mapping[str, Any], cost: Cost) -> list[tuple[str, str]]:
    """Return the same as lines of a table."""
    done = f"; {facts['points_done']:,} are done" if facts["points_done"] else ""
    trainings = f"{facts['trainings']:,}, of which {facts['trainings_on_record']:,} are on record"
    side = f"{cost.workers} at once, each training with {count(plan.study.threads, 'thread')}"
    return [
        *((path, f"{len(values)} values") for path, values in plan.study.axes.items()),
        ("points", f"{facts['points']:,}, {_replays(facts['points'], facts['replays'])}{done}"),
        ("trainings", trainings),
        ("on this host", side),
        *cost.lines(DEFAULT),
    ]
