"""A network of somebody else's: devices go round a circle among three stations, each served by the nearest.

Rates are those of a wire, the nearer the faster; what it tells of handovers follows from the angle alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import cos, floor, hypot, pi, sin
from typing import Any

import simpy

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.roles import Hosts
from slfac_sim.network import Network, NetworkSettings, Survey, Transfer
from slfac_sim.network.contract import Handover, Sighting, Station
from slfac_sim.network.kinds.ideal import Ideal

CIRCLE_M, SPREAD_M, INTERRUPTION_S = 150.0, 90.0, 0.05
STATIONS = [Station(f"s{i}", 200.0 * cos(i * 2 * pi / 3), 200.0 * sin(i * 2 * pi / 3)) for i in range(3)]


@settings
class Roaming(NetworkSettings):
    """How fast devices go round, and whether they tell of it."""

    speed: float = 30.0

    def survey(self, hosts: Hosts, seed: int) -> Survey:
        survey = Ideal().survey(hosts, seed)
        ways = _ways(hosts, self.speed)
        links = []
        for link in survey.links:
            seen = ways[link.device].sighting(0.0)
            links.append(replace(link, station=seen.station, x_m=seen.x_m, y_m=seen.y_m))
        return replace(survey, links=links, stations=STATIONS)

    def open(self, env: simpy.Environment, hosts: Hosts, seed: int) -> Network:
        return _Roaming(env, Ideal().open(env, hosts, seed), _ways(hosts, self.speed))


class _Way:
    def __init__(self, device: str, radius_m: float, begins: float, per_s: float) -> None:
        self._device, self._radius_m, self._begins, self._per_s = device, radius_m, begins, per_s

    def sighting(self, t_s: float) -> Sighting:
        turns = self._begins + self._per_s * t_s
        x_m, y_m = self._radius_m * cos(2 * pi * turns), self._radius_m * sin(2 * pi * turns)
        station = STATIONS[floor(3 * turns + 0.5) % 3]
        rate_bps = 20e6 / (1.0 + (hypot(x_m - station.x_m, y_m - station.y_m) / 60.0) ** 2)
        return Sighting(self._device, t_s, x_m, y_m, station.name, rate_bps, 2.0 * rate_bps)

    def handovers(self, until_s: float) -> list[Handover]:
        first = floor(3 * self._begins + 0.5) + 0.5
        last = floor(3 * (self._begins + self._per_s * until_s) + 0.5)
        return [
            Handover(
                device=self._device,
                at_s=((first + number) / 3 - self._begins) / self._per_s,
                source=STATIONS[floor(first + number - 0.5) % 3].name,
                target=STATIONS[floor(first + number + 0.5) % 3].name,
                source_dbm=-90.0,
                target_dbm=-87.0,
                interruption_s=INTERRUPTION_S,
                is_ping_pong=number == 1,
                carried_bits=8e3 * number,
            )
            for number in range(last - floor(first - 0.5))
        ]


class _Roaming(Network):
    def __init__(self, env: simpy.Environment, wires: Network, ways: dict[str, _Way]) -> None:
        self._env, self._wires = env, wires
        self._ways = list(ways.values())[1:]

    def transfer(self, src: str, dst: Any, nbytes: int) -> Transfer:
        return self._wires.transfer(src, dst, nbytes)

    def stalled(self) -> Sequence[Transfer]:
        return self._wires.stalled()

    def handovers(self) -> Sequence[Handover]:
        every = [one for way in self._ways for one in way.handovers(float(self._env.now))]
        return sorted(every, key=lambda one: one.at_s)

    def sightings(self, times_s: Sequence[float]) -> Sequence[Sighting]:
        return [way.sighting(t_s) for t_s in times_s for way in self._ways]


def _ways(hosts: Hosts, speed: float) -> dict[str, _Way]:
    """Return the ways of all devices; the first one stands still."""
    count = len(hosts.devices)
    radii_m = [CIRCLE_M + SPREAD_M * ((7 * place) % count / count - 0.5) for place in range(count)]
    return {
        device: _Way(device, radii_m[place], place / count, bool(place) * speed / (2 * pi * radii_m[place]))
        for place, device in enumerate(hosts.devices)
    }
