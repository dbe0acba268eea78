"""The paths of a topology: those of its access networks, and the wires that follow. They know no rate."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from math import inf

from slfac_sim.network.topology.binding import cannot_follow
from slfac_sim.network.topology.parts import Part
from slfac_sim.network.topology.routes import Routes
from slfac_sim.network.transfers import Hop, Path

_MOVED = 8  # paths kept for each device, of those that follow from where it has gone


@dataclass(frozen=True, eq=False, kw_only=True)
class WiredPath(Path):
    """A path that follows from the path `origin` on an access network; its far end is the server `end`."""

    origin: Path
    end: str


class Ways:
    """The paths between the devices of `parts` and the `servers`, by `routes`. Some wires may be `full`."""

    def __init__(
        self, parts: Sequence[Part], servers: Collection[str], routes: Routes, full: Collection[str]
    ) -> None:
        self._servers, self._routes, self._full = frozenset(servers), routes, full
        self._part_of = {device: part for part in parts for device in part.group.devices}
        self.paths = cache(self._new_paths)
        self.wired = lru_cache(maxsize=_MOVED * len(self._part_of))(self._new_wired)

    def _new_paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        if src in self._part_of:
            paths = [self._up(src, dst) for dst in dsts]
            if len(paths) != 1:
                raise KeyError(f"{src} -> {', '.join(dsts)}: a device sends to one server")
            return paths
        if src not in self._servers or not dsts:
            raise KeyError(f"{src} -> {', '.join(dsts)}: no such host")
        across = [self._across(src, dst) for dst in dsts if dst in self._servers]
        return self.one_copy([*self._down(src, dsts), *across])

    def _up(self, src: str, dst: str) -> Path:
        part = self._part_of[src]
        if dst not in self._servers:
            raise KeyError(f"{src} -> {dst}: no such server")
        (origin,) = part.air.paths(src, (part.group.server,))
        return self._new_wired(part, origin, dst)

    def _down(self, src: str, dsts: tuple[str, ...]) -> Iterator[Path]:
        """Yield a path for each station that sends to devices among `dsts`."""
        on: dict[Part, list[str]] = {}
        for dst in dsts:
            if dst not in self._servers:
                on.setdefault(self._part_of[dst], []).append(dst)
        for part, devices in on.items():
            for origin in part.air.paths(part.group.server, tuple(devices)):
                yield self._new_wired(part, origin, src)

    def _across(self, src: str, dst: str) -> Path:
        if src == dst:
            raise KeyError(f"{src} -> {dst}: it has that already")
        hops = self._routes.way(src, dst)
        return Path("", False, (dst,), inf, 0.0, sum(hop.latency_s for hop in hops), hops=hops)

    def part_of(self, device: str) -> Part:
        """Return the access network of a device."""
        return self._part_of[device]

    def _new_wired(self, part: Part, origin: Path, end: str) -> WiredPath:
        """Return the path `origin` of an access network as one of the topology, from or to a server."""
        node = part.node(origin.station)
        hops = self._routes.way(*(node, end) if origin.uplink else (end, node))
        self._follow(part, origin.lane, hops)
        on_access = {field.name: getattr(origin, field.name) for field in fields(Path)}
        wired = {
            "lane": part.lane(origin.lane),
            "station": node,
            "latency_s": origin.latency_s + sum(hop.latency_s for hop in hops),
            "hops": hops,
            "grant_s": part.grant_s,
        }
        return WiredPath(**on_access | wired, origin=origin, end=end)

    def _follow(self, part: Part, lane: str, hops: tuple[Hop, ...]) -> None:
        """Raise `BadInput` where the medium of `lane` cannot follow a wire, as towards a foreign server."""
        full = [hop.link for hop in hops if hop.link in self._full]
        if full and not part.air.takes_caps(lane):
            raise cannot_follow(part, full[0])

    def one_copy(self, branches: Sequence[Path]) -> Sequence[Path]:
        """Return the `branches` of a multicast; a wire that several of them cross carries one copy."""
        crossing = Counter(hop.link for path in branches for hop in path.hops)
        if max(crossing.values(), default=1) == 1:
            return branches
        return [_in_part(path, crossing) for path in branches]


def _in_part(path: Path, crossing: Mapping[str, int]) -> Path:
    hops = tuple(replace(hop, part=1.0 / crossing[hop.link]) for hop in path.hops)
    return replace(path, hops=hops)
