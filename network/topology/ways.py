"""The paths of a topology: those of its access networks, and the wires that follow. They know no rate."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from math import inf

from slfac_sim.network.topology.binding import cannot_follow
from slfac_sim.network.topology.parts import Part
from slfac_sim.network.topology.routes import Routes
from slfac_sim.network.transfers import Hop, Path


class Ways:
    """The paths between the devices of `parts` and the `servers`, by `routes`. Some wires may be `full`.

    `origin` is what a path is on its access network.
    """

    def __init__(
        self, parts: Sequence[Part], servers: Collection[str], routes: Routes, full: Collection[str]
    ) -> None:
        self._servers, self._routes, self._full = frozenset(servers), routes, full
        self._part_of = {device: part for part in parts for device in part.group.devices}
        self.origin: dict[Path, Path] = {}
        self.paths = cache(self._new_paths)

    def _new_paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        if src in self._part_of:
            paths = [self._up(src, dst) for dst in dsts]
            if len(paths) != 1:
                raise KeyError(f"{src} -> {', '.join(dsts)}: a device sends to one server")
            return paths
        if src not in self._servers or not dsts:
            raise KeyError(f"{src} -> {', '.join(dsts)}: no such host")
        across = [self._across(src, dst) for dst in dsts if dst in self._servers]
        return self._one_copy([*self._down(src, dsts), *across])

    def _up(self, src: str, dst: str) -> Path:
        part = self._part_of[src]
        if dst not in self._servers:
            raise KeyError(f"{src} -> {dst}: no such server")
        (origin,) = part.air.paths(src, (part.group.server,))
        return self._wired(part, origin, self._routes.way(part.node(origin.station), dst))

    def _down(self, src: str, dsts: tuple[str, ...]) -> Iterator[Path]:
        """Yield a path for each station that sends to devices among `dsts`."""
        on: dict[Part, list[str]] = {}
        for dst in dsts:
            if dst not in self._servers:
                on.setdefault(self._part_of[dst], []).append(dst)
        for part, devices in on.items():
            for origin in part.air.paths(part.group.server, tuple(devices)):
                yield self._wired(part, origin, self._routes.way(src, part.node(origin.station)))

    def _across(self, src: str, dst: str) -> Path:
        if src == dst:
            raise KeyError(f"{src} -> {dst}: it has that already")
        hops = self._routes.way(src, dst)
        return Path("", False, (dst,), inf, 0.0, sum(hop.latency_s for hop in hops), hops=hops)

    def _wired(self, part: Part, origin: Path, hops: tuple[Hop, ...]) -> Path:
        """Return the path `origin` of an access network as one of the topology, with `hops`."""
        self._follow(part, origin.lane, hops)
        path = replace(
            origin,
            lane=part.lane(origin.lane),
            station=part.node(origin.station),
            latency_s=origin.latency_s + sum(hop.latency_s for hop in hops),
            hops=hops,
            grant_s=part.grant_s,
        )
        self.origin[path] = origin
        return path

    def _follow(self, part: Part, lane: str, hops: tuple[Hop, ...]) -> None:
        """Raise `BadInput` where the medium of `lane` cannot follow a wire, as towards a foreign server."""
        full = [hop.link for hop in hops if hop.link in self._full]
        if full and not part.air.takes_caps(lane):
            raise cannot_follow(part, full[0])

    def _one_copy(self, branches: Sequence[Path]) -> Sequence[Path]:
        """Return the `branches` of a multicast; a wire that several of them cross carries one copy."""
        crossing = Counter(hop.link for path in branches for hop in path.hops)
        shared = [self._in_part(path, crossing) for path in branches]
        return branches if max(crossing.values(), default=1) == 1 else shared

    def _in_part(self, path: Path, crossing: Mapping[str, int]) -> Path:
        hops = tuple(replace(hop, part=1.0 / crossing[hop.link]) for hop in path.hops)
        branch = replace(path, hops=hops)
        if path in self.origin:
            self.origin[branch] = self.origin[path]
        return branch
