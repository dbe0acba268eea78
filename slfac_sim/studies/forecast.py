"""What a study will take of this host: its trainings on trial, then workers, seconds and memory.

Nothing is trained.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from slfac_sim.analysis.format import about, count
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.host import cores
from slfac_sim.runs.planned import Plan as Planned
from slfac_sim.scenario.schema import Seed
from slfac_sim.scenario.steering import steered
from slfac_sim.studies.engines import Engine, Outcome, attempt
from slfac_sim.studies.jobs import Demand, Forecast, Train, demand
from slfac_sim.studies.plan import Plan
from slfac_sim.studies.sweep import missing_trainings
from slfac_sim.studies.trainings import DEFAULT

_POLL_S = 0.2


def forecast(jobs: Sequence[Train], engine: Engine | None = None) -> list[Demand]:
    """Return what each of `jobs` will take, as `engine` sees it, or without one this process.

    One of each kind is tried: trainings that differ in their seed alone take the same. What a worker dies of
    is left to the trainings themselves, unless it befalls all. Raises `BadInput` with all that is wrong.
    """
    kinds: dict[str, list[Train]] = defaultdict(list)
    for job in jobs:
        kinds[repr(replace(job.scenario, seed=Seed()))].append(job)
    alike = {same[0].key: len(same) for same in kinds.values()}
    trials = [Forecast(same[0].key, same[0].scenario, same[0].threads) for same in kinds.values()]
    outcomes = list(_outcomes(trials, engine))
    demands = [one.value for one in outcomes if not one.reason for _ in range(alike[one.job.key])]
    wrong = [one.reason for one in outcomes if one.reason and not (one.again and demands)]
    if wrong:
        raise BadInput("\n".join(dict.fromkeys(wrong)))
    return demands


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


def workers_for(trainings: int, points: int, threads: int, wanted: int | None = None) -> int:
    """Return how many processes work at once: `wanted`, or one for each core that a thread of it can have.

    While trainings are left each has so many `threads`; a replay has one.
    """
    usual = max(1, cores() // threads) if trainings else cores()
    return min(wanted or usual, max(trainings, points))


def seconds_of(demands: Sequence[Demand], points: int, workers: int) -> float:
    """Return the seconds of trainings that take `demands`, and of the replays of `points` from them."""
    if not demands:
        return 0.0
    trainings_s = [demand.host_s for demand in demands]
    replays_s = points * sum(demand.replay_s for demand in demands) / len(demands)
    return max(sum(trainings_s) / workers, *trainings_s) + replays_s / workers


def memory_of(demands: Sequence[Demand]) -> int:
    """Return the bytes of the largest training."""
    return max((demand.memory_bytes for demand in demands), default=0)


def planned(plan: Plan) -> Planned:
    """Return what `plan` would run, told to people and to programs. Raises `BadInput`."""
    facts = _facts(plan)
    return Planned(plan.study.name, _lines(plan, facts), facts, ())


def _facts(plan: Plan) -> dict[str, Any]:
    """Return what `plan` would run and take of this host, for JSON."""
    jobs = missing_trainings(plan, plan.points, DEFAULT)
    demands, points, threads = forecast(jobs), len(plan.points), plan.study.threads
    workers = workers_for(len(jobs), points, threads)
    return {
        "points": points,
        "replays": sum(steered(point.scenario) is None for point in plan.points),
        "trainings": len(plan.trainings),
        "trainings_on_record": len(plan.trainings) - len(jobs),
        "workers": workers,
        "threads": threads,
        "host_s": seconds_of(demands, points, workers),
        "memory_bytes": memory_of(demands),
    }


def _replays(points: int, replays: int) -> str:
    """Say how many of the points are replays; of the others timing steers what is learnt."""
    if replays == points:
        return "each a replay"
    return f"{replays:,} of them replays" if replays else "each a training of its own"


def _lines(plan: Plan, facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the same as lines of a table."""
    trainings = f"{facts['trainings']:,}, of which {facts['trainings_on_record']:,} are on record"
    side = f"{facts['workers']} at once, each training with {count(facts['threads'], 'thread')}"
    return [
        *((path, f"{len(values)} values") for path, values in plan.study.axes.items()),
        ("points", f"{facts['points']:,}, {_replays(facts['points'], facts['replays'])}"),
        ("trainings", trainings),
        ("on this host", side),
        ("time on this host", f"about {about(facts['host_s'])}"),
        ("memory of a training", f"about {facts['memory_bytes'] / 1e9:.2f} GB at the peak"),
    ]
