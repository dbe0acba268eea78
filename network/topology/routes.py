"""The graph of nodes and wires, and the way between two of its nodes. It knows no air and no clock."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from slfac_sim.foundation.errors import BadSettings, did_you_mean
from slfac_sim.network.contract import Wire
from slfac_sim.network.topology.settings import WiredLink
from slfac_sim.network.transfers import Hop

if TYPE_CHECKING:
    import networkx as nx

_HOP = Fraction(1, 10**30)  # of a second: less than any sum of latencies tells apart


class Routes:
    """The shortest ways by latency over `links`, then those of the fewest wires, then the first by name.

    `stations` are the nodes of each access network that has several. A link that names such a network, not
    one of its stations, joins all of them.
    """

    def __init__(self, links: Mapping[str, WiredLink], stations: Mapping[str, Sequence[str]]) -> None:
        self._links = links
        self._graph = _graph(links, stations)
        self.capacities_bps = dict(_capacities_bps(links))
        self._left = cache(self._new_left)
        self._ways = cache(self._new_way)

    @property
    def nodes(self) -> Sequence[str]:
        """The nodes at which a link ends."""
        return list(self._graph)

    def leads(self, src: str, dst: str) -> bool:
        """Return whether there is a way from the node `src` to the node `dst`."""
        return src in self._left(dst)

    def way(self, src: str, dst: str) -> tuple[Hop, ...]:
        """Return the wires from the node `src` to the node `dst`, in order. Raises `KeyError` without one."""
        return self._ways(src, dst)

    def wires(self) -> Sequence[Wire]:
        """Return the wires as a survey tells of them."""
        return [
            Wire(name, link.between, link.capacity, link.way_back, link.latency, link.duplex == "half")
            for name, link in self._links.items()
        ]

    def _new_way(self, src: str, dst: str) -> tuple[Hop, ...]:
        if not self.leads(src, dst):
            raise KeyError(f"{src} -> {dst}: no route")
        left, node, hops = self._left(dst), src, []
        while node != dst:
            ways = [
                (other, name)
                for other, edges in self._graph[node].items()
                for name, edge in edges.items()
                if edge["weight"] + left[other] == left[node]
            ]
            other, name = min(ways)
            if name in self._links:
                hops.append(_hop(name, self._links[name], node, other))
            node = other
        return tuple(hops)

    def _new_left(self, dst: str) -> dict[str, Fraction]:
        """Return how far every node is from `dst`."""
        import networkx as nx

        if dst not in self._graph:
            return {}
        left: dict[str, Fraction] = nx.single_source_dijkstra_path_length(self._graph, dst, weight="weight")
        return left


def _graph(links: Mapping[str, WiredLink], stations: Mapping[str, Sequence[str]]) -> "nx.MultiGraph[Any]":
    """Return the graph, each edge keyed by the name of its link; latencies are added as they are written."""
    import networkx as nx

    graph = nx.MultiGraph()
    for name, link in links.items():
        graph.add_edge(*link.between, key=name, weight=Fraction(repr(link.latency)) + _HOP)
    for access, nodes in stations.items():
        if access in graph:
            graph.add_edges_from((access, node, "", {"weight": _HOP}) for node in nodes)
    return graph


def _capacities_bps(links: Mapping[str, WiredLink]) -> Iterator[tuple[str, float]]:
    """Yield the capacity of each way of a link, once where both share it."""
    for name, link in links.items():
        for src, dst in (link.between, link.between[::-1]):
            yield way_of(name, link, src, dst), capacity_of(link, src)


def way_of(name: str, link: WiredLink, src: str, dst: str) -> str:
    """Return what the way of `link` from `src` to `dst` is called."""
    return name if link.duplex == "half" else f"{name} {src}->{dst}"


def capacity_of(link: WiredLink, src: str) -> float:
    """Return the bits per second of the way of `link` from `src`."""
    return link.capacity if src == link.between[0] else link.way_back


def _hop(name: str, link: WiredLink, src: str, dst: str) -> Hop:
    return Hop(
        way_of(name, link, src, dst), capacity_of(link, src), link.latency, link.header_bytes, link.loss
    )


def check_nodes(
    links: Mapping[str, WiredLink], stations: Mapping[str, Sequence[str]], servers: Sequence[str]
) -> None:
    """Raise `BadSettings` for links that end at nothing: not at a station, a server or another link.

    `stations` are the nodes of each access network: itself, or those below it.
    """
    known = [*stations, *(node for nodes in stations.values() for node in nodes), *servers]
    nodes = list(dict.fromkeys(known))
    ends = [end for link in links.values() for end in link.between]
    switches = [end for end in dict.fromkeys(ends) if ends.count(end) > 1 and end not in nodes]
    among = [*nodes, *(one for one in switches if one.partition("/")[0] not in stations)]
    faults = []
    for name, link in links.items():
        for end in link.between:
            is_station = end.partition("/")[0] in stations
            if end not in nodes and (is_station or ends.count(end) < 2):
                switch = "" if is_station else " (and a switch joins two links or more)"
                text = f"no '{end}' among {', '.join(among)}{did_you_mean(end, among)}{switch}"
                faults.append((("network", "links", name, "between"), text))
    if faults:
        raise BadSettings(*faults)
