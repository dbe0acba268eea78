"""The coupling: a protocol that really learns, on a simulated clock and a simulated network."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from slfac_sim.effects import Task
from slfac_sim.foundation.errors import Diverged
from slfac_sim.hosts.availability import Outage, plans
from slfac_sim.hosts.availability.always import Always
from slfac_sim.hosts.machines import machines
from slfac_sim.hosts.names import device_names
from slfac_sim.hosts.power import Power
from slfac_sim.hosts.settings import CODEC_SPEED
from slfac_sim.hosts.slowdowns import Factor, product
from slfac_sim.ledger.store import Ledger
from slfac_sim.network import Survey
from slfac_sim.scenario.hosts import hosts_of, servers_of, with_servers
from slfac_sim.scenario.schema import Scenario
from slfac_sim.simulation.clock import Clock
from slfac_sim.simulation.energy import Energy
from slfac_sim.simulation.networks import air_rows, link_rows, move_rows, open_network
from slfac_sim.simulation.simulated import SimulatedPlayer

OnNote = Callable[[str, Mapping[str, Any]], None]


def host_speeds(scenario: Scenario) -> dict[str, float]:
    """Return each host's computing speed in FLOP/s. Raises `BadInput`."""
    names = device_names(scenario.devices.count)
    speeds: dict[str, float] = scenario.devices.speed.speeds(names, scenario.seed.air)
    return {**speeds, **{name: server.speed for name, server in servers_of(scenario).items()}}


def codec_speeds(scenario: Scenario) -> dict[str, float]:
    """Return each host's speed in encoding and decoding, in equivalent FLOP/s. Raises `BadInput`."""
    servers = {name: server.codec_speed for name, server in servers_of(scenario).items()}
    return {
        host: servers.get(host, scenario.devices.codec_speed) or min(speed, CODEC_SPEED)
        for host, speed in host_speeds(scenario).items()
    }


def outages_of(scenario: Scenario) -> dict[str, Iterator[Outage]]:
    """Return when each host is down. Raises `BadInput` for a file of outages that cannot be used."""
    names, seed = device_names(scenario.devices.count), scenario.seed.air
    outages = plans(scenario.devices.availability, names, seed)
    for name, server in servers_of(scenario).items():
        outages |= plans(server.availability, [name], seed)
    return outages


def survey_of(scenario: Scenario) -> Survey:
    """Return what the air of `scenario` offers, as a run will find it. Raises `BadInput`."""
    survey: Survey = scenario.network.survey(hosts_of(scenario), scenario.seed.air)
    return survey


def check_air(scenario: Scenario) -> Survey:
    """Return what the air offers. Raises `BadInput` for speeds, outages or places that cannot be had.

    A network that lacks its contract is found here too.
    """
    host_speeds(scenario)
    outages_of(scenario)
    open_network(scenario.network, Clock(), hosts_of(scenario), scenario.seed.air)
    return survey_of(scenario)


class Simulation:
    """The network and the hosts of a scenario on a clock of their own; one protocol is played on them.

    What the air offers is in `ledger` before anything happens. Raises `BadInput` for an air that cannot be.
    """

    def __init__(self, scenario: Scenario, ledger: Ledger, on_note: OnNote = lambda table, row: None) -> None:
        for table, rows in air_rows(survey_of(scenario)).items():
            for row in rows:
                ledger.add(table, row)
        names = device_names(scenario.devices.count)
        self._env = Clock()
        self._ledger = ledger
        self._network = open_network(scenario.network, self._env, hosts_of(scenario), scenario.seed.air)
        self._energy = Energy(_powers(scenario), dict.fromkeys(names, scenario.devices.battery))
        self._player = SimulatedPlayer(
            self._env,
            self._network,
            host_speeds(scenario),
            ledger,
            on_note,
            codec_speeds=codec_speeds(scenario),
            availability=outages_of(scenario),
            slowdown=_slowdowns(scenario),
            disciplines={name: server.discipline for name, server in servers_of(scenario).items()},
            energy=self._energy,
        )

    def play(self, protocol: Task) -> float:
        """Play `protocol` to its end and return the simulated seconds.

        It is a real one, that learns, or a recorded one (`replay`): the clock is the same. What links
        carried, how devices moved and what hosts drew is written when it is over, however it ends. Raises
        `simulated.Stalled` when nothing can happen any more before the protocol has ended, and `Diverged`
        with the round.
        """
        try:
            self._player.play(protocol)
        except Diverged as error:
            raise error.during(len(self._ledger.tuples("rounds", ("round",))) + 1) from None
        finally:
            end_s = float(self._env.now)
            told = {"link_use": link_rows(self._network), **move_rows(self._network, end_s)}
            for table, rows in told.items():
                for row in rows:
                    self._ledger.add(table, row)
            for row in self._energy.rows(self._env.now):
                self._ledger.add("energy", row)
        return float(self._env.now)

    def under_way(self) -> Iterator[str]:
        """Yield, in words, all work that is not over: in flight, in service, queued or waited for."""
        return self._player.under_way()


def simulate(
    scenario: Scenario, protocol: Task, ledger: Ledger, on_note: OnNote = lambda table, row: None
) -> float:
    """Run `protocol` in a `Simulation` of `scenario`, write `ledger`, and return the simulated seconds."""
    return Simulation(scenario, ledger, on_note).play(protocol)


def calm(scenario: Scenario) -> Scenario:
    """Return `scenario` on still air and with hosts that are always up, as forecasts play it."""
    always: dict[str, Any] = {"availability": Always()}
    return replace(
        with_servers(scenario, **always),
        network=scenario.network.still,
        devices=replace(scenario.devices, battery=None, **always),
    )


def _powers(scenario: Scenario) -> dict[str, Power]:
    """Return what each host draws."""
    owned = machines(scenario.devices, scenario.seed.air)
    servers = {name: server.power for name, server in servers_of(scenario).items()}
    return {**{name: machine.power for name, machine in owned.items()}, **servers}


def _slowdowns(scenario: Scenario) -> dict[str, Factor]:
    """Return by what the durations of computes are multiplied, for hosts that can be slow."""
    names = device_names(scenario.devices.count)
    servers = {name: server.slowdowns for name, server in servers_of(scenario).items()}
    causes = {**dict.fromkeys(names, scenario.devices.slowdowns), **servers}
    return {host: product(cause, host, scenario.seed.air) for host, cause in causes.items() if cause}
