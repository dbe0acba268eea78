"""The coupling: a protocol that really learns, on a simulated clock and a simulated network."""

from collections.abc import Callable, Mapping
from typing import Any

import simpy

from slfac_sim.effects import Task
from slfac_sim.ledger import Book
from slfac_sim.ledger_tables import AIR
from slfac_sim.names import SERVER, device_names
from slfac_sim.network import Survey
from slfac_sim.players.simulated import SimulatedPlayer
from slfac_sim.scenario import Scenario

OnNote = Callable[[str, Mapping[str, Any]], None]


def host_speeds(scenario: Scenario) -> dict[str, float]:
    """Return each host's computing speed in FLOP/s."""
    names = device_names(scenario.devices.count)
    speeds: dict[str, float] = scenario.devices.speed.speeds(names, scenario.seed.air)
    return {**speeds, SERVER: scenario.server.speed}


def survey_of(scenario: Scenario) -> Survey:
    """Return what the air of `scenario` offers, as a run will find it. Raises `BadInput`."""
    survey: Survey = scenario.network.survey(device_names(scenario.devices.count), SERVER, scenario.seed.air)
    return survey


def air_rows(survey: Survey) -> dict[str, list[dict[str, Any]]]:
    """Return `survey` as rows of the ledger's tables `air`, `stations` and `links`."""
    found = {"air": [survey], "stations": survey.stations, "links": survey.links}
    return {
        table: [{name: getattr(one, name) for name in AIR[table]} for one in found[table]] for table in AIR
    }


def simulate(
    scenario: Scenario, protocol: Task, ledger: Book, on_note: OnNote = lambda table, row: None
) -> float:
    """Run `protocol` on the scenario's network and hosts, write `ledger`, and return the simulated seconds.

    `protocol` is a real one, that learns, or a recorded one (`players.replay`): the clock is the same. What
    the air offers is written before anything happens. Raises `BadInput` for an air that cannot be, and
    `players.simulated.Stalled` when nothing can happen any more before the protocol has ended.
    """
    for table, rows in air_rows(survey_of(scenario)).items():
        for row in rows:
            ledger.add(table, row)
    env = simpy.Environment(initial_time=0.0)
    names = device_names(scenario.devices.count)
    network = scenario.network.open(env, names, SERVER, scenario.seed.air)
    SimulatedPlayer(env, network, host_speeds(scenario), ledger, on_note).play(protocol)
    return float(env.now)
