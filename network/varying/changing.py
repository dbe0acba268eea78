"""Which change is on which path of a network. It knows no clock."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.network.change import Change, Effect, Target
from slfac_sim.network.transfers import Path
from slfac_sim.network.varying.effects import Effects, worst
from slfac_sim.network.varying.motion import Motion

EffectsOf = Callable[[Path], Effects]
_NONE = Effects()


def unchanged(path: Path) -> Effects:
    """Return that nothing is done to `path`."""
    return _NONE


def effects_of(
    of_air: Callable[[Path], Sequence[Effect]], changes: "Changes", wires: Mapping[str, Effects]
) -> EffectsOf:
    """Return what gives the effects on a path: those `of_air`, of `changes`, and on its `wires`."""
    known: dict[tuple[str, bool, Sequence[str], Sequence[str]], Effects] = {}

    def effects(path: Path) -> Effects:
        links = tuple(hop.link for hop in path.hops if hop.link in wires) if wires else ()
        key = (path.lane, path.uplink, path.devices, links)
        found = known.get(key)
        if found is None:
            both = (*of_air(path), *changes.on(path))
            on_wires = {link: wires[link] for link in links}
            found = known[key] = Effects(both, on_wires) if both or links else _NONE
        return found

    return effects


def motions_of(
    changes: Mapping[str, Change], devices: Sequence[str], seed: int, radius_m: float
) -> dict[str, Motion]:
    """Return the ways of those of `devices` that `changes` move, where cells lie within `radius_m` of (0, 0).

    Raises `BadInput` for a device that two move, and for a file that cannot be used.
    """
    motions: dict[str, Motion] = {}
    moved_by: dict[str, str] = {}
    for name, change in changes.items():
        whom = change.devices if change.moves and change.devices is not None else ()
        for device in sorted(device for device in devices if whom == "all" or device in whom):
            if device in motions:
                first = f"network.change.{moved_by[device]}"
                raise BadInput(f"network.change.{name}.devices: {device} moves by {first} already")
            motions[device] = change.motion(Target(name, device, True), seed, radius_m)
            moved_by[device] = name
    return motions


class Changes:
    """The `changes` of a network by their names, on its `lanes` and `devices`.

    What `wires` do, by the names of their ways, is told elsewhere. Raises `BadInput` for a link or a device
    that is not there, and for a file that cannot be used.
    """

    def __init__(
        self,
        changes: Mapping[str, Change],
        lanes: Collection[str],
        wires: Collection[str],
        devices: Sequence[str],
        seed: int,
    ) -> None:
        self._changes, self._seed = changes, seed
        self._lanes = {name: _lanes_on(name, change, lanes, wires) for name, change in changes.items()}
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
            if effect not in (Effect(), Effect(of_some=True))
        ]

    def _of(self, name: str, lane: str, uplink: bool, devices: Sequence[str]) -> Iterator[Effect]:
        if lane in self._lanes[name]:
            yield self._effect(name, "", uplink)
        changed = [device for device in devices if device in self._devices[name]]
        if changed:
            effect = worst([self._effect(name, device, uplink) for device in changed])
            yield effect._replace(of_some=len(changed) < len(devices))

    def _new_effect(self, name: str, device: str, uplink: bool) -> Effect:
        return self._changes[name].effect(Target(name, device, uplink), self._seed)


def covers(on: str, link: str) -> bool:
    """Return whether what is `on` something is on `link`: a lane, all lanes of a network, a way of a wire."""
    return link == on or link.startswith((f"{on}/", f"{on} "))


def _lanes_on(name: str, change: Change, lanes: Collection[str], wires: Collection[str]) -> frozenset[str]:
    on = change.on
    if on is None:
        return frozenset()
    if not any(covers(on, link) for link in (*lanes, *wires)):
        above = [lane.rpartition("/")[0] for lane in lanes if "/" in lane]
        known = list(dict.fromkeys([*above, *lanes, *(way.partition(" ")[0] for way in wires)]))
        raise BadInput(
            f"network.change.{name}.on: no '{on}' among {', '.join(known)}{did_you_mean(on, known)}"
        )
    return frozenset(lane for lane in lanes if covers(on, lane))


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
