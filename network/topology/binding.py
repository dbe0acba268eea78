"""Which wires may ever be full: those that their lanes, at their best, can send more to than they carry."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import permutations
from math import inf

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import find, kinds
from slfac_sim.network.topology.parts import Part
from slfac_sim.network.topology.routes import Routes
from slfac_sim.network.transfers import Hop, Lane


def binding(parts: Sequence[Part], servers: Sequence[str], routes: Routes) -> dict[str, float]:
    """Return the capacities of the wires that may ever be full.

    Those between servers may: what servers send has no bound of its own. Raises `BadInput` for an access
    network whose medium cannot follow such a wire on the way to its server.
    """
    capacity_bps: dict[str, float] = {}
    offered_bps: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        for lane in part.air.lanes():
            behind = [hop for server in servers for hop in _behind(part, lane, server, routes)]
            capacity_bps |= {hop.link: hop.capacity_bps for hop in behind}
            for link in {hop.link for hop in behind}:
                offered_bps[link] += lane.most_bps
    between = [hop for src, dst in permutations(servers, 2) for hop in routes.way(src, dst)]
    capacity_bps |= {hop.link: hop.capacity_bps for hop in between}
    offered_bps |= {hop.link: inf for hop in between}
    full = {link: bps for link, bps in capacity_bps.items() if offered_bps[link] > bps}
    _check(parts, routes, full)
    return full


def _behind(part: Part, lane: Lane, server: str, routes: Routes) -> Iterator[Hop]:
    """Yield the wires between `lane` and `server`, in the ways that it has."""
    node = part.node(lane.station)
    for uplink in lane.ways:
        yield from routes.way(node, server) if uplink else routes.way(server, node)


def _check(parts: Sequence[Part], routes: Routes, full: dict[str, float]) -> None:
    for part in parts:
        for lane in part.air.lanes():
            if not part.air.takes_caps(lane.name):
                for hop in _behind(part, lane, part.group.server, routes):
                    if hop.link in full:
                        raise cannot_follow(part, hop.link)


def cannot_follow(part: Part, link: str) -> BadInput:
    """Return the error of a medium behind a wire, `link`, that may be full."""
    media = "slfac_sim.network.media"
    able = ", ".join(kind for kind in kinds(media) if find(media, kind).takes_caps)
    return BadInput(
        f"network.access.{part.name}.network.medium: {part.air.survey().medium} does not divide anew what"
        f" the wire {link.partition(' ')[0]}, which may be full, leaves of its air: expected {able}, or more"
        " capacity"
    )
