"""The air of a topology: every access network's own, and the wires behind them. No clock here."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from slfac_sim.network.air import Air, Among
from slfac_sim.network.change import Effect
from slfac_sim.network.contract import Handover, Hosts, Sighting, Survey
from slfac_sim.network.engine import Share
from slfac_sim.network.topology.binding import binding
from slfac_sim.network.topology.parts import Part
from slfac_sim.network.topology.routes import Routes
from slfac_sim.network.topology.survey import survey_of
from slfac_sim.network.topology.ways import Ways, WiredPath
from slfac_sim.network.transfers import Lane, Path
from slfac_sim.network.transport import Framing
from slfac_sim.network.varying.effects import Capacity, Effects


class TopologyAir(Air):
    """The air of `parts`, wired by `routes` to the servers of `hosts`.

    A path crosses one lane of one part, then wires, or wires alone between servers. Raises `BadInput` for a
    medium that cannot follow a wire which may be full. `wire_effects` changes wires; a lane carries at most
    `most_bps`. `busy` wires carry others' bits too, so that they may be full.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        hosts: Hosts,
        routes: Routes,
        wire_effects: Mapping[str, Effects],
        most_bps: Callable[[Part, Lane], float],
        busy: Collection[str] = (),
    ) -> None:
        self._parts, self._hosts, self._routes = {part.name: part for part in parts}, hosts, routes
        self._wire_effects = wire_effects
        least_bps = {link: Capacity(effects).least for link, effects in wire_effects.items()}
        least_bps |= dict.fromkeys(busy, 0.0)
        self._full, self._joined = binding(parts, hosts.servers, routes, least_bps, most_bps)
        self._ways = Ways(parts, hosts.servers, routes, self._full)

    def coherence_on(self, lane: str) -> float | None:
        """Return the length of a block on `lane`; every access network has a grid of its own."""
        part, inner = self._within(lane)
        return None if part is None else part.air.coherence_on(inner)

    def survey(self) -> Survey:
        """Return what it offers each device with its server."""
        return survey_of(tuple(self._parts.values()), self._hosts, self._routes, bool(self._full))

    @property
    def wires(self) -> Mapping[str, float]:
        """The capacity of each way of each wire, or of both together."""
        return self._routes.capacities_bps

    @property
    def wire_effects(self) -> Mapping[str, Effects]:
        """What changes each way of wires."""
        return self._wire_effects

    def may_fill(self, lane: str) -> Collection[str]:
        """Return the wires that may be full, if some of them follow `lane`; otherwise none."""
        return self._full if lane in self._joined else ()

    def lanes(self) -> Sequence[Lane]:
        """Return the lanes of all access networks."""
        return [
            replace(lane, name=part.lane(lane.name), station=part.node(lane.station))
            for part in self._parts.values()
            for lane in part.lanes
        ]

    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        """Return the paths: one, or for a multicast one for each station and server that it goes to.

        Raises `KeyError` for hosts that no route joins.
        """
        return self._ways.paths(src, dsts)

    def share(self, lane: str) -> Share:
        """Return the medium of `lane`."""
        part, inner = self._within(lane)
        if part is None:
            raise KeyError(f"'{lane}' is no lane")
        return part.air.share(inner)

    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        """Return the rate on the lane of `path`; between servers, that of the narrowest wire."""
        return self.rates_bps([path], block, heard)[0]

    def rates_bps(
        self, paths: Sequence[Path], block: int, heard: Mapping[str, int]
    ) -> list[tuple[float, Among]]:
        """Return what `rate_bps` says of each path; every access network is asked once."""
        rates: list[tuple[float, Among]] = [(path.narrowest_bps, None) for path in paths]
        asked: dict[str, list[int]] = {}
        for i, path in enumerate(paths):
            asked.setdefault(path.lane.partition("/")[0], []).append(i)
        asked.pop("", None)
        for name, places in asked.items():
            origins = [_origin(paths[i]) for i in places]
            found = self._parts[name].air.rates_bps(origins, block, _Heard(heard, f"{name}/"))
            for i, rate in zip(places, found, strict=True):
                rates[i] = rate
        return rates

    def senders(self, lane: str, transfers: int) -> int:
        """Return how many senders the disturbed lanes hear of `lane`."""
        part, inner = self._within(lane)
        return 0 if part is None else part.air.senders(inner, transfers)

    def disturbed(self, lane: str) -> Sequence[str]:
        """Return the lanes, of the same access network, that `lane` disturbs."""
        part, inner = self._within(lane)
        return () if part is None else [part.lane(other) for other in part.air.disturbed(inner)]

    def framing(self, lane: str) -> Framing:
        """Return what packets cost on `lane`."""
        part, inner = self._within(lane)
        return super().framing(lane) if part is None else part.air.framing(inner)

    def takes_caps(self, lane: str) -> bool:
        """Return whether `lane` keeps to the caps of flows, as wires do."""
        part, inner = self._within(lane)
        return True if part is None else part.air.takes_caps(inner)

    @property
    def varies(self) -> bool:
        """Whether any access network does."""
        return any(part.air.varies for part in self._parts.values())

    @property
    def hands_over(self) -> bool:
        """Whether devices of any access network go from one of its stations to another."""
        return any(part.air.hands_over for part in self._parts.values())

    def moved(self, path: Path, t_s: float) -> Path:
        """Return `path` as it is at `t_s`, with the wires behind the station that serves then."""
        part, _ = self._within(path.lane)
        if part is None:
            return path
        assert isinstance(path, WiredPath)
        origin = part.air.moved(path.origin, t_s)
        return path if origin is path.origin else self._ways.wired(part, origin, path.end)

    def paths_at(self, src: str, dsts: tuple[str, ...], t_s: float) -> Sequence[Path]:
        """Return the paths at `t_s`; a wire that several of them cross carries one copy."""
        return self._ways.one_copy(super().paths_at(src, dsts, t_s))

    def together(self, src: str, dsts: tuple[str, ...], t_s: float) -> Path:
        """Return the path to `dsts`, which one station serves at `t_s`, wherever they began."""
        if dsts[0] in self._hosts.servers:
            return super().together(src, dsts, t_s)
        part = self._ways.part_of(dsts[0])
        return self._ways.wired(part, part.air.together(part.group.server, dsts, t_s), src)

    def resumes_s(self, path: Path, t_s: float) -> float:
        """Return from when on bits cross `path`: `t_s`, or the end of an interruption by a handover."""
        part, _ = self._within(path.lane)
        return t_s if part is None else part.air.resumes_s(_origin(path), t_s)

    def handovers(self, until_s: float) -> Sequence[Handover]:
        """Return the handovers of all access networks, their stations by the names of nodes."""
        found = [
            replace(one, source=part.node(one.source), target=part.node(one.target))
            for part in self._parts.values()
            for one in part.air.handovers(until_s)
        ]
        return sorted(found, key=lambda one: one.at_s)

    def sightings(self, times_s: Sequence[float]) -> Sequence[Sighting]:
        """Return where the devices of all access networks are that move, in the order of time."""
        found = [
            replace(one, station=part.node(one.station))
            for part in self._parts.values()
            for one in part.air.sightings(times_s)
        ]
        return sorted(found, key=lambda one: one.at_s)

    def effects(self, path: Path) -> Sequence[Effect]:
        """Return what changes the rate on the lane of `path` at times of its own."""
        part, _ = self._within(path.lane)
        return () if part is None else part.air.effects(_origin(path))

    def alone_bps(self, path: Path, rate_bps: float) -> float:
        """Return what a transfer alone gets on the lane of `path` at one of its rates."""
        part, _ = self._within(path.lane)
        return rate_bps if part is None else part.air.alone_bps(_origin(path), rate_bps)

    def quiet_bps(self, path: Path, rate_bps: float, n: int = 1) -> float:
        """Return what a rate of the survey is on the lane of `path` among `n` while other lanes are quiet."""
        part, _ = self._within(path.lane)
        return rate_bps if part is None else part.air.quiet_bps(_origin(path), rate_bps, n)

    def _within(self, lane: str) -> tuple[Part | None, str]:
        """Return the access network of `lane`, None for no lane at all, and its name there."""
        name, _, inner = lane.partition("/")
        return (self._parts[name], inner) if name else (None, "")


def _origin(path: Path) -> Path:
    """Return what `path` is on its access network."""
    assert isinstance(path, WiredPath)
    return path.origin


class _Heard(Mapping[str, int]):
    """The lanes of one access network among those that are heard, by their names there."""

    def __init__(self, heard: Mapping[str, int], prefix: str) -> None:
        self._heard, self._prefix = heard, prefix

    def __getitem__(self, lane: str) -> int:
        return self._heard[self._prefix + lane]

    def __iter__(self) -> Iterator[str]:
        return (lane.removeprefix(self._prefix) for lane in self._heard if lane.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)
