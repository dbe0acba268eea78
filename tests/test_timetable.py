"""The timetable of changes: a transfer that leaves and joins again while it is renewed is told once."""

from collections.abc import Sequence
from typing import Any, cast

import simpy

from slfac_sim.network.change import Effect
from slfac_sim.network.transfers import OnLane
from slfac_sim.network.varying.courses import Steps
from slfac_sim.network.varying.effects import Effects
from slfac_sim.network.varying.timetable import Timetable


def test_a_transfer_that_goes_and_comes_back_within_a_change_is_told_of_each_change_once() -> None:
    env = simpy.Environment()
    course = Steps([0.0, 1.0, 2.0, 3.0], [1.0, 0.5, 0.25, 1.0], 4.0)
    effects = Effects(all=(Effect(factors=(course,)),))
    told: list[tuple[float, int]] = []

    def renew(transfers: Sequence[Any]) -> None:
        told.append((float(env.now), len(transfers)))
        for transfer in transfers:  # as a handover does
            timetable.leave(effects, transfer)
            timetable.join(effects, transfer)

    timetable = Timetable(env, renew)
    timetable.join(effects, cast(OnLane, object()))
    env.run(until=3.5)
    assert told == [(1.0, 1), (2.0, 1), (3.0, 1)]
