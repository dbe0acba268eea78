"""What the changes of a network come to on each path at each time. It knows no clock.

Rates take each other's place, in the order in which they are written; factors multiply what that leaves.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from math import inf

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.network.change import Change, Effect, Target
from slfac_sim.network.courses import Course
from slfac_sim.network.transfers import Path

Among = Callable[[int], float] | None
EffectsOf = Callable[[Path], "Effects"]


@dataclass(frozen=True, eq=False)
class Effects:
    """The effects on one path, in order."""

    all: Sequence[Effect] = ()

    def rate(self, t_s: float, rate_bps: float, among: Among) -> tuple[float, Among]:
        """Return the rate of the path at `t_s`, alone and among n, where these are those of the air."""
        factor = 1.0
        for effect in self.all:
            if effect.rates_bps:
                rate_bps, among = _least(effect.rates_bps, t_s), None
            if effect.factors:
                factor *= _least(effect.factors, t_s)
        if among is None or factor == 1.0:
            return factor * rate_bps, among
        whole = among
        return factor * rate_bps, lambda n: factor * whole(n)

    def latency_s(self, t_s: float, path: Path) -> float:
        """Return the latency of `path` at `t_s`: that of its access is changed, not that of its wires."""
        latency_s, wires_s = path.latency_s, sum(hop.latency_s for hop in path.hops)
        for effect in self.all:
            if effect.latencies_s:
                latency_s = wires_s + max(course.at(t_s) for course in effect.latencies_s)
        return latency_s

    def next_s(self, t_s: float) -> float:
        """Return when the rate changes next after `t_s`, infinite if it never does."""
        return min((course.next_s(t_s) for course in self._of_rates()), default=inf)

    def _of_rates(self) -> Iterator[Course]:
        return chain.from_iterable((*effect.rates_bps, *effect.factors) for effect in self.all)


_NONE = Effects()


def unchanged(path: Path) -> Effects:
    """Return that nothing is done to `path`."""
    return _NONE


def effects_of(of_air: Callable[[Path], Sequence[Effect]], changes: "Changes") -> EffectsOf:
    """Return what gives the effects on a path: those `of_air`, then those of `changes`."""
    known: dict[tuple[str, bool, Sequence[str]], Effects] = {}

    def effects(path: Path) -> Effects:
        key = (path.lane, path.uplink, path.devices)
        found = known.get(key)
        if found is None:
            both = (*of_air(path), *changes.on(path))
            found = known[key] = Effects(both) if both else _NONE
        return found

    return effects


class Changes:
    """The `changes` of a network by their names, resolved: `lanes` are its media, `devices` those on it.

    Raises `BadInput` for a link or a device that is not there, and for a file that cannot be used.
    """

    def __init__(
        self, changes: Mapping[str, Change], lanes: Collection[str], devices: Sequence[str], seed: int
    ) -> None:
        self._changes, self._seed = changes, seed
        self._lanes = {name: _lanes_on(name, change, lanes) for name, change in changes.items()}
        self._devices = {name: _devices_of(name, change, devices) for name, change in changes.items()}
        self._effect = cache(self._new_effect)
        self._on = cache(self._new_on)

    def on(self, path: Path) -> Sequence[Effect]:
        """Return what they do to the access of `path`: to its lane, or to its devices, each by itself."""
        return self._on(path.lane, path.uplink, path.devices) if self._changes else ()

    def _new_on(self, lane: str, uplink: bool, devices: Sequence[str]) -> Sequence[Effect]:
        return [
            effect
            for name in self._changes
            for effect in self._of(name, lane, uplink, devices)
            if effect != Effect()
        ]

    def _of(self, name: str, lane: str, uplink: bool, devices: Sequence[str]) -> Iterator[Effect]:
        if lane in self._lanes[name]:
            yield self._effect(name, "", uplink)
        changed = [device for device in devices if device in self._devices[name]]
        if changed:
            yield worst([self._effect(name, device, uplink) for device in changed])

    def _new_effect(self, name: str, device: str, uplink: bool) -> Effect:
        return self._changes[name].effect(Target(name, device, uplink), self._seed)


def worst(effects: Sequence[Effect]) -> Effect:
    """Return what several receivers of one transmission make of it: the worst of each, at each time."""
    return Effect(*(tuple(dict.fromkeys(chain.from_iterable(kind))) for kind in zip(*effects, strict=True)))


def _least(courses: Sequence[Course], t_s: float) -> float:
    return min(course.at(t_s) for course in courses) if len(courses) > 1 else courses[0].at(t_s)


def _lanes_on(name: str, change: Change, lanes: Collection[str]) -> frozenset[str]:
    on = change.on
    if on is None:
        return frozenset()
    found = frozenset(lane for lane in lanes if lane == on or lane.startswith(f"{on}/"))
    if not found:
        above = [lane.rpartition("/")[0] for lane in lanes if "/" in lane]
        known = list(dict.fromkeys([*above, *lanes]))
        raise BadInput(
            f"network.change.{name}.on: no '{on}' among {', '.join(known)}{did_you_mean(on, known)}"
        )
    return found


def _devices_of(name: str, change: Change, devices: Sequence[str]) -> frozenset[str]:
    changed = change.devices
    if changed is None:
        return frozenset()
    if changed == "all":
        return frozenset(devices)
    for device in changed:
        if device not in devices:
            known = devices[0] if len(devices) == 1 else f"{devices[0]} to {devices[-1]}"
            raise BadInput(
                f"network.change.{name}.devices: no '{device}' among {known}{did_you_mean(device, devices)}"
            )
    return frozenset(changed)
