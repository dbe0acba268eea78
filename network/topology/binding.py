"""Which wires may ever be full: those that their lanes, at their best, can send more to than they carry."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from math import inf

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.network.topology.parts import Part
from slfac_sim.network.topology.routes import Routes
from slfac_sim.network.transfers import Hop, Lane
from slfac_sim.network.transport import UDP_HEADER_BYTES


def binding(
    parts: Sequence[Part],
    servers: Sequence[str],
    routes: Routes,
    least_bps: Mapping[str, float],
    most_bps: Callable[[Part, Lane], float],
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the wires that may ever be full, and the lanes that some of them follow: their flows are joined.

    The wires between servers may: what servers send has no bound of its own, and no lane (it is called ""
    here). Raises `BadInput` for an access network whose medium cannot follow such a wire on the way to its
    server; the way to another one is not looked at.

    Wires that change with time have `least_bps`, the least that they ever carry; `most_bps` says what a lane
    of an access network ever carries at most.
    """
    full = _full(parts, servers, routes, {**routes.capacities_bps, **least_bps}, most_bps)
    joined = {""} if len(servers) > 1 else set()
    for part in parts:
        for lane in part.lanes:
            if not part.air.takes_caps(lane.name):
                for link in sorted(_behind(part, lane, [part.group.server], routes).keys() & full):
                    raise cannot_follow(part, link)
            elif _behind(part, lane, servers, routes).keys() & full:
                joined.add(part.lane(lane.name))
    return full, frozenset(joined)


def _full(
    parts: Sequence[Part],
    servers: Sequence[str],
    routes: Routes,
    least_bps: Mapping[str, float],
    most_bps: Callable[[Part, Lane], float],
) -> frozenset[str]:
    offered_bps: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        for lane in part.lanes:
            for link, hop in _behind(part, lane, servers, routes).items():
                offered_bps[link] += most_bps(part, lane) * _most_per_bit(part, lane, hop)
    offered_bps |= {hop.link: inf for ends in permutations(servers, 2) for hop in routes.way(*ends)}
    return frozenset(link for link, bps in offered_bps.items() if bps > least_bps[link])


def _most_per_bit(part: Part, lane: Lane, hop: Hop) -> float:
    """Return what a wire carries for a bit on the air with headers: the most, for packets of one byte each.

    Of what is lost on the wire the air sees nothing.
    """
    if not part.in_packets:
        return 1.0
    least_bytes = 1 + UDP_HEADER_BYTES
    on_air_bytes = least_bytes + part.air.framing(lane.name).layer2_bytes
    return max(1.0, (least_bytes + hop.header_bytes) / on_air_bytes) / (1.0 - hop.loss)


def _behind(part: Part, lane: Lane, servers: Sequence[str], routes: Routes) -> dict[str, Hop]:
    """Return the wires between `lane` and `servers` by their links, in the ways that it has."""
    node = part.node(lane.station)
    ends = [(node, server) if uplink else (server, node) for uplink in lane.ways for server in servers]
    return {hop.link: hop for src, dst in ends for hop in routes.way(src, dst)}


def cannot_follow(part: Part, link: str) -> BadInput:
    """Return the error of a medium behind a wire, `link`, that may be full."""
    media = "slfac_sim.network.media"
    able = ", ".join(kind for kind in kinds(media) if find(media, kind).takes_caps)
    return BadInput(
        f"network.access.{part.name}.network.medium: {part.air.survey().medium} does not divide anew what"
        f" the wire {link.partition(' ')[0]}, which may be full, leaves of its air: expected {able}, or more"
        " capacity"
    )
