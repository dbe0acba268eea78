"""Wires that change with time: what is done to each way of them, and what links carry at most."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from slfac_sim.network.change import Change, Effect, Target
from slfac_sim.network.topology.parts import Part
from slfac_sim.network.topology.routes import capacity_of, way_of
from slfac_sim.network.topology.settings import WiredLink
from slfac_sim.network.transfers import Lane
from slfac_sim.network.varying.changing import covers
from slfac_sim.network.varying.courses import Constant
from slfac_sim.network.varying.effects import Capacity, Effects


def wire_effects(
    changes: Mapping[str, Change], links: Mapping[str, WiredLink], seed: int
) -> dict[str, Effects]:
    """Return what `changes` do to each way of `links` that they are on. Raises `BadInput`.

    The first effect is the capacity of the way itself.
    """
    found = {}
    for name, link in links.items():
        for src, dst in _ends(link):
            way = way_of(name, link, src, dst)
            target = {key: Target(key, "", src == link.between[0]) for key in changes}
            on_it = [
                change.effect(target[key], seed)
                for key, change in changes.items()
                if change.on is not None and change.offers_bps == 0.0 and covers(change.on, way)
            ]
            if on_it:
                own = Effect(rates_bps=(Constant(capacity_of(link, src)),))
                found[way] = Effects((own, *on_it))
    return found


def busy_wires(changes: Mapping[str, Change], ways: Collection[str]) -> list[str]:
    """Return those of `ways`, of wires, over which `changes` send something themselves."""
    on = [change.on for change in changes.values() if change.on is not None and change.offers_bps > 0.0]
    return [way for way in ways if any(covers(one, way) for one in on)]


def at_most(links: Mapping[str, WiredLink], effects: Mapping[str, Effects]) -> dict[str, WiredLink]:
    """Return `links` with the most that they ever carry each way."""
    return {name: _at_most(name, link, effects) for name, link in links.items()}


def lane_most_bps(changes: Mapping[str, Change], part: Part, lane: Lane, seed: int) -> float:
    """Return what a lane of an access network ever carries at most."""
    most_bps, factor = lane.most_bps, 1.0
    for name, change in changes.items():
        effects = [
            change.effect(Target(name, device, uplink), seed)
            for device in _whom(change, part, lane)
            for uplink in lane.ways
        ]
        most_bps = max((course.most for effect in effects for course in effect.rates_bps), default=most_bps)
        factor *= max((course.most for effect in effects for course in effect.factors), default=1.0)
    return max(most_bps, lane.most_bps) * max(factor, 1.0)


def _at_most(name: str, link: WiredLink, effects: Mapping[str, Effects]) -> WiredLink:
    src, dst = link.between
    ways = [effects.get(way_of(name, link, *ends)) for ends in _ends(link)]
    if not any(ways):
        return link
    most_bps = [
        capacity_of(link, end) if on_it is None else Capacity(on_it).most
        for end, on_it in zip((src, dst), ways, strict=False)
    ]
    back_bps = most_bps[1] if link.duplex == "full" else None
    return replace(link, capacity=most_bps[0], back_capacity=back_bps)


def _ends(link: WiredLink) -> Iterator[tuple[str, str]]:
    """Yield the ends of each way, once where both share it."""
    yield link.between
    if link.duplex == "full":
        yield link.between[::-1]


def _whom(change: Change, part: Part, lane: Lane) -> Iterator[str]:
    """Yield the devices on `lane` that are changed, and an empty name if it is itself."""
    if change.on is not None and covers(change.on, part.lane(lane.name)):
        yield ""
    changed = change.devices or ()
    yield from (device for device in part.group.devices if changed == "all" or device in changed)
