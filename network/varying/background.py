"""Background traffic: which changes send over which links, as what, and whether a link can carry it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.air import Air
from slfac_sim.network.change import Burst, Change
from slfac_sim.network.transfers import Lane, Path
from slfac_sim.network.varying.changing import covers
from slfac_sim.network.varying.effects import Capacity


class Way(NamedTuple):
    """A path between a device and its server, in one direction, and its rate in the mean.

    That is the rate at the start, where background stays, over the device's part of a lane that is divided
    into parts, while other lanes are quiet.
    """

    path: Path
    src: str
    dst: str
    rate_bps: float


class Source(NamedTuple):
    """What sends `bursts` over `link`: over the lane of one of `ways`, or over a wire, which has none."""

    link: str
    bursts: Iterator[Burst]
    ways: Sequence[Way]


def sources_of(changes: Mapping[str, Change], air: Air, seed: int) -> list[Source]:
    """Return what `changes` send over lanes and wires of `air`.

    Raises `BadInput` where a link cannot carry what they send on it together, or nobody is on it.
    """
    sending = {name: change for name, change in changes.items() if change.offers_bps > 0.0}
    if not sending:
        return []
    ways, lanes = _ways(air), {lane.name: lane for lane in air.lanes()}
    carried_bps = {name: _carried_bps(lanes[name], on_lane) for name, on_lane in ways.items()}
    carried_bps |= _capacities_bps(air)
    _refuse_nobody(sending, carried_bps)
    _refuse_too_much(sending, carried_bps)
    return [
        Source(link, change.bursts(name, link, seed), ways.get(link, ()))
        for name, change in sending.items()
        for link in carried_bps
        if covers(str(change.on), link)
    ]


def _ways(air: Air) -> dict[str, list[Way]]:
    """Return the ways of devices on each lane, with the rates that they have in the mean."""
    ways: defaultdict[str, list[Way]] = defaultdict(list)
    places = {lane.name: lane.places for lane in air.lanes()}
    for link in air.survey().links:
        (up,) = air.paths(link.device, (link.server,))
        (down,) = air.paths(link.server, (link.device,))
        ends = (link.device, link.server)
        for path, src_dst, rate_bps in ((up, ends, link.up_rate_bps), (down, ends[::-1], link.down_rate_bps)):
            if not path.unreachable and rate_bps > 0.0:
                quiet_bps = air.quiet_bps(path, rate_bps, max(1, places[path.lane]))
                ways[path.lane].append(Way(path, *src_dst, quiet_bps))
    return dict(ways)


def _carried_bps(lane: Lane, ways: Sequence[Way]) -> float:
    """Return the bits per second of flows that are of one device as often as of another.

    Where each device has its own part of the lane, it is the slowest one whose flows never end.
    """
    if lane.places:
        return lane.part * len(ways) * min(way.rate_bps for way in ways) / lane.places
    return lane.part * len(ways) / sum(1.0 / way.rate_bps for way in ways)


def _capacities_bps(air: Air) -> dict[str, float]:
    effects = air.wire_effects
    return {
        link: Capacity(effects[link]).mean if link in effects else capacity_bps
        for link, capacity_bps in air.wires.items()
    }


def _refuse_nobody(sending: Mapping[str, Change], carried_bps: Mapping[str, float]) -> None:
    for name, change in sending.items():
        if not any(covers(str(change.on), link) for link in carried_bps):
            raise BadInput(
                f"network.change.{name}.on: no device is on {change.on} at the start, so that nobody sends "
                f"there: expected {', '.join(carried_bps)}"
            )


def _refuse_too_much(sending: Mapping[str, Change], carried_bps: Mapping[str, float]) -> None:
    for link, most_bps in carried_bps.items():
        on_it = {name: one for name, one in sending.items() if covers(str(one.on), link)}
        offered_bps = sum(change.offers_bps for change in on_it.values())
        if offered_bps >= most_bps:
            raise BadInput(
                f"network.change.{next(reversed(on_it))}.rate: background traffic of {offered_bps:.6g} bit/s"
                f" on {link}, which carries {most_bps:.6g}, would never end: expected less"
            )
