"""The coupling: a protocol that really learns, on a simulated clock and a simulated network."""

from collections.abc import Callable, Mapping
from typing import Any

import simpy

from slfac_sim.effects import Task
from slfac_sim.ledger import Book
from slfac_sim.names import SERVER, device_names
from slfac_sim.players.simulated import SimulatedPlayer
from slfac_sim.scenario import Scenario

OnNote = Callable[[str, Mapping[str, Any]], None]


def host_speeds(scenario: Scenario) -> dict[str, float]:
    """Return each host's computing speed in FLOP/s."""
    names = device_names(scenario.devices.count)
    speeds: dict[str, float] = scenario.devices.speed.speeds(names, scenario.seed.air)
    return {**speeds, SERVER: scenario.server.speed}


def simulate(
    scenario: Scenario, protocol: Task, ledger: Book, on_note: OnNote = lambda table, row: None
) -> float:
    """Run `protocol` on the scenario's network and hosts, write `ledger`, and return the simulated seconds.

    `protocol` is a real one, that learns, or a recorded one (`players.replay`): the clock is the same.
    Raises `players.simulated.Stalled` when nothing can happen any more before the protocol has ended.
    """
    env = simpy.Environment(initial_time=0.0)
    names = device_names(scenario.devices.count)
    network = scenario.network.open(env, names, SERVER, scenario.seed.air)
    SimulatedPlayer(env, network, host_speeds(scenario), ledger, on_note).play(protocol)
    return float(env.now)
