"""A network for tests whose devices go from station to station by a timetable."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from typing import Any

from slfac_sim.foundation.plugins import settings
from slfac_sim.network import Handover, Hosts, Link, Sharing, Station, Survey
from slfac_sim.network.air import Air, Among
from slfac_sim.network.change import Effect
from slfac_sim.network.engine import Share
from slfac_sim.network.fluid_settings import FluidSettings
from slfac_sim.network.media.fair import Fair
from slfac_sim.network.transfers import Lane, Path
from slfac_sim.network.transport import Framing
from slfac_sim.network.varying.courses import Course

Moves = tuple[tuple[str, float, int], ...]
"""Who goes when to which station."""


@settings
class Timetabled(FluidSettings):
    """Stations s0, s1, ...: device i begins at station i modulo their number, and goes where `moves` say.

    At station s it has `rates` [devices][stations], down twice as much; 0 is no coverage.
    """

    rates: tuple[tuple[float, ...], ...]
    moves: Moves = ()
    interruption: float = 0.05
    latency: float = 0.0
    header_bytes: int = 0
    medium: Any = Fair()

    @property
    def shared(self) -> Sharing:
        return Sharing(bounded=False, multicasts_bounded=False)

    @property
    def nodes(self) -> tuple[str, ...]:
        return tuple(f"s{i}" for i in range(len(self.rates[0])))

    def air(self, hosts: Hosts, seed: int) -> Air:
        return TimetabledAir(self, hosts)


class Told(Course):
    """1, told anew at `times_s`."""

    def __init__(self, times_s: Sequence[float]) -> None:
        self._times_s = [*sorted(times_s), inf]

    def at(self, t_s: float) -> float:
        return 1.0

    def next_s(self, t_s: float) -> float:
        return self._times_s[bisect_right(self._times_s, t_s) if t_s < inf else -1]

    @property
    def mean(self) -> float:
        return 1.0

    least = most = mean


class TimetabledAir(Air):
    """The air of `Timetabled`."""

    def __init__(self, of: Timetabled, hosts: Hosts) -> None:
        self._of, self._hosts = of, hosts
        self._index = {device: i for i, device in enumerate(hosts.devices)}
        self._known: dict[Any, Path] = {}
        self._moves = {
            device: [
                (0.0, self._index[device] % len(of.nodes)),
                *sorted((at_s, station) for name, at_s, station in of.moves if name == device),
            ]
            for device in hosts.devices
        }
        self._told = {device: Told([at for at, _ in moves[1:]]) for device, moves in self._moves.items()}

    @property
    def varies(self) -> bool:
        return True

    @property
    def hands_over(self) -> bool:
        return True

    def station(self, device: str, t_s: float) -> int:
        return [station for at_s, station in self._moves[device] if at_s <= t_s][-1]

    def lanes(self) -> Sequence[Lane]:
        most_bps = 2.0 * max(max(rates) for rates in self._of.rates)
        return [
            Lane(f"{s}/{way}", s, (way == "up",), 1.0, most_bps)
            for s in self._of.nodes
            for way in ("up", "down")
        ]

    def survey(self) -> Survey:
        links = [
            Link(device, 0.0, inf, inf, up, 2.0 * up, up, 2.0 * up, f"s{station}", server=self._hosts.server)
            for device in self._hosts.devices
            for station in [self.station(device, 0.0)]
            for up in [self._of.rates[self._index[device]][station]]
        ]
        stations = [Station(name, 0.0, 0.0) for name in self._of.nodes]
        return Survey(
            links, 1.0, 1.0, min(link.down_rate_bps for link in links), 0, (), "fair", "fdd", False, stations
        )

    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        uplink = dsts == (self._hosts.server,)
        served: dict[int, list[str]] = {}
        for device in (src,) if uplink else dsts:
            served.setdefault(self.station(device, 0.0), []).append(device)
        return [self._path(station, uplink, tuple(names)) for station, names in served.items()]

    def moved(self, path: Path, t_s: float) -> Path:
        (station,) = {self.station(device, t_s) for device in path.devices}
        return self._path(station, path.uplink, path.devices)

    def resumes_s(self, path: Path, t_s: float) -> float:
        ends_s = [
            at_s + self._of.interruption
            for device in path.devices
            for at_s, _ in self._moves[device][1:]
            if at_s <= t_s
        ]
        return max([t_s, *ends_s])

    def handovers(self, until_s: float) -> Sequence[Handover]:
        found = [
            Handover(device, at_s, f"s{source}", f"s{target}", -90.0, -80.0, self._of.interruption)
            for device, moves in self._moves.items()
            for (_, source), (at_s, target) in pairwise(moves)
            if at_s <= until_s
        ]
        return sorted(found, key=lambda one: one.at_s)

    def effects(self, path: Path) -> Sequence[Effect]:
        return (Effect(factors=tuple(self._told[device] for device in path.devices)),)

    def share(self, lane: str) -> Share:
        return self._of.medium.share(20, 1.0)  # type: ignore[no-any-return]

    def framing(self, lane: str) -> Framing:
        return Framing(1000, self._of.header_bytes, self._of.header_bytes)

    def takes_caps(self, lane: str) -> bool:
        return bool(self._of.medium.takes_caps)

    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        station = int(path.station[1:])
        bps = min(self._of.rates[self._index[device]][station] for device in path.devices)
        return bps if path.uplink else 2.0 * bps, None

    def _path(self, station: int, uplink: bool, devices: tuple[str, ...]) -> Path:
        key = (station, uplink, devices)
        if key not in self._known:
            lane = f"s{station}/{'up' if uplink else 'down'}"
            power_w = 0.2 if uplink else 5.0 + station
            self._known[key] = Path(
                lane, uplink, devices, 20.0, power_w, self._of.latency, station=f"s{station}"
            )
        return self._known[key]
