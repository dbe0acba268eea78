"""How long a round takes: its schedule is played with sizes on the scenario's own network and hosts.

The one forecast of time. `check`, `cut: auto`, `cut: per_device` and `select: fastest` all ask here.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slfac_sim.analysis.attribution import attribute
from slfac_sim.analysis.bottleneck import resources_s
from slfac_sim.analysis.critical_path import Segment
from slfac_sim.effects import Task
from slfac_sim.forecast.actors import Actor, actors_of
from slfac_sim.forecast.rehearsal import in_turn, rehearsal
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.sizes import Sizes
from slfac_sim.learning.world import World
from slfac_sim.ledger.store import MemoryLedger
from slfac_sim.ledger.tables import TABLES
from slfac_sim.network import Survey
from slfac_sim.scenario.schedule import Schedule
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.simulate import calm, simulate, survey_of
from slfac_sim.simulation.simulated import Stalled

_ROUNDS = 3  # of a protocol whose rounds have no end of their own
_DIGITS = 9  # of what is compared: the clock's rounding must not decide between equals


@dataclass(frozen=True)
class RoundTime:
    """The forecast of a round, by what its critical path waits for (the names of `analysis.bottleneck`).

    `parts_s` is None where there is none, or where no round ends; `reason` then says why.
    """

    parts_s: Mapping[str, float] | None
    reason: str = ""
    endless: bool = field(default=False, kw_only=True)

    @property
    def seconds(self) -> float | None:
        """How long a round takes: infinity if it never ends, None if there is no forecast."""
        if self.parts_s is not None:
            return math.fsum(self.parts_s.values())
        return math.inf if self.endless else None


def no_schedule(scenario: Scenario) -> str:
    """Return why there is no forecast where a protocol has no schedule."""
    return f"the protocol {kind_of(scenario.protocol)} declares no schedule"


def round_time(
    world: World, survey: Survey, schedule: Schedule | None, sizes: Mapping[str, Sizes] | None = None
) -> RoundTime:
    """Return the forecast of a round of `world` in which everybody is there, on the air of `survey`.

    `sizes` are the bytes of each device's mini-batches and model; without them nothing is compressed.
    """
    if schedule is None:
        return RoundTime(None, no_schedule(world.scenario))
    return time_of(world.scenario, survey, schedule, actors_of(world, schedule, sizes))


def time_of(scenario: Scenario, survey: Survey, schedule: Schedule, actors: Sequence[Actor]) -> RoundTime:
    """Return the forecast of a round of `actors`, those of the devices that take part."""
    if schedule.exchanges or schedule.models != "kept":
        unreached = _unreached(survey) & {actor.name for actor in actors}
        if unreached:
            return RoundTime(None, f"{min(unreached)} has no coverage", endless=True)
    try:
        return RoundTime(_parts_s(scenario, schedule, actors))
    except Stalled as stalled:
        return RoundTime(None, str(stalled), endless=True)


def alone_s(world: World) -> dict[str, float]:
    """Return the seconds of a round of each device if it has the air and the server to itself.

    Nothing is compressed in it: what a selection can know in advance. Infinity for a device out of reach.
    Raises `BadInput` for a protocol without a schedule.
    """
    schedule: Schedule | None = world.scenario.protocol.schedule
    if schedule is None:
        raise BadInput(f"how long devices take cannot be foretold: {no_schedule(world.scenario)}")
    actors = actors_of(world, schedule, everybody=True)
    parts = alone(world.scenario, survey_of(world.scenario), schedule, actors)
    return {name: math.fsum(parts_s.values()) for name, parts_s in parts.items()}


def alone(
    scenario: Scenario, survey: Survey, schedule: Schedule, actors: Sequence[Actor]
) -> dict[str, dict[str, float]]:
    """Return the parts of a round of each of `actors` alone, by its name."""
    unreached = _unreached(survey)
    reached = [actor for actor in actors if actor.name not in unreached]
    rows = _played(scenario, in_turn(reached, schedule, scenario.protocol.participation)) if reached else {}
    parts_of = {actor.name: {"downlink air": math.inf} for actor in actors}
    begins_s = [0.0, *(row["at_s"] for row in rows.get("rounds", ()))]
    turns: list[list[Segment]] = [[] for _ in begins_s]
    for segment in attribute(rows).path if reached else ():
        turns[bisect_right(begins_s, segment.from_s) - 1].append(segment)
    for actor, turn in zip(reached, turns, strict=False):
        parts_s = resources_s(turn)
        parts_of[actor.name] = {part: float(f"{seconds:.{_DIGITS}g}") for part, seconds in parts_s.items()}
    return parts_of


def _unreached(survey: Survey) -> set[str]:
    return {link.device for link in survey.links if not (link.up_rate_bps > 0.0 and link.down_rate_bps > 0.0)}


def _parts_s(scenario: Scenario, schedule: Schedule, actors: Sequence[Actor]) -> dict[str, float]:
    at_least = schedule.cloud_every or (_ROUNDS if schedule.models == "mixed" else 1)
    rounds = min(scenario.protocol.rounds, at_least)
    play = rehearsal(actors, schedule, scenario.protocol.participation, rounds)
    path = attribute(_played(scenario, play)).path
    return {part: seconds / rounds for part, seconds in resources_s(path).items()}


def _played(scenario: Scenario, task: Task) -> dict[str, list[dict[str, Any]]]:
    """Play `task` and return the rows that it has left. Raises `Stalled`."""
    rows = MemoryLedger()
    simulate(calm(scenario), task, rows)
    return {table: list(rows.rows(table)) for table in TABLES if table != "payloads"}
