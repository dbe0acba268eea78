"""The graph of a topology, from the tables of what it offers: nodes, wires, who is where, and levels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.format import count, quantity
from slfac_sim.analysis.structure import Row

if TYPE_CHECKING:
    import networkx as nx

Kind = Literal["server", "access", "switch"]


@dataclass(frozen=True)
class Node:
    """A node: a server, an access network or one of its stations, or a switch. `note` says what is there."""

    name: str
    kind: Kind
    note: str


@dataclass(frozen=True)
class Graph:
    """Nodes and wires (rows of the ledger), both in their order; `level` counts wires from the top.

    The top are the servers without devices, or else all servers.
    """

    nodes: Mapping[str, Node]
    wires: Sequence[Row]
    level: Mapping[str, int]

    def tree(self) -> "nx.DiGraph[Any]":
        """Return a tree of shortest ways from each top downwards; an edge has its `wire`.

        Wires that are on none of these ways are left out.
        """
        import networkx as nx  # only where there are wires: `check` looks here for every network

        tree = nx.DiGraph()
        tree.add_nodes_from(name for name, level in self.level.items() if level == 0)
        for name, level in self.level.items():
            above = ((self._across(wire, name), wire) for wire in self.wires if name in ends_of(wire))
            parent = next(((node, wire) for node, wire in above if self.level[node] == level - 1), None)
            if parent is not None:
                tree.add_edge(parent[0], name, wire=parent[1])
        return tree

    def _across(self, wire: Row, node: str) -> str:
        one, other = ends_of(wire)
        return other if node == one else one


def ends_of(wire: Row) -> tuple[str, str]:
    """Return the nodes that a wire joins."""
    return wire["src"], wire["dst"]


def links_of(wire: Row) -> dict[str, float]:
    """Return the links that a wire is (see `link_use`), one each way or one for both, with their bit/s."""
    name, src, dst = wire["name"], *ends_of(wire)
    if wire["half_duplex"]:
        return {name: wire["capacity_bps"]}
    return {f"{name} {src}->{dst}": wire["capacity_bps"], f"{name} {dst}->{src}": wire["back_bps"]}


def capacities(wires: Sequence[Row]) -> dict[str, float]:
    """Return the capacity of each link that `wires` are."""
    return {link: bps for wire in wires for link, bps in links_of(wire).items()}


def capacity_text(wire: Row) -> str:
    """Return the capacity of a wire, or that of each way: ``a->b 12 Mbit/s, b->a 100 Mbit/s``."""
    text, back = (quantity(wire[f"{way}_bps"], "bit/s") for way in ("capacity", "back"))
    if wire["half_duplex"] or wire["back_bps"] == wire["capacity_bps"]:
        return text
    one, other = ends_of(wire)
    return f"{one}->{other} {text}, {other}->{one} {back}"


def wire_text(wire: Row) -> str:
    """Return what a wire can: ``1 Gbit/s, 2 ms``."""
    both = ", half duplex" if wire["half_duplex"] else ""
    return f"{capacity_text(wire)}, {1e3 * wire['latency_s']:.3g} ms{both}"


def graph_of(offered: Offered) -> Graph:
    """Return the graph of what a topology offers."""
    import networkx as nx

    whole = nx.MultiGraph()
    whole.add_edges_from(map(ends_of, offered.wires))
    servers = _servers(offered)
    homes = {row["server"] for row in offered.links}
    top = [name for name in servers if name not in homes] or servers
    layers = nx.bfs_layers(whole, [name for name in top if name in whole])
    level = {name: depth for depth, names in enumerate(layers) for name in names}
    nodes = {name: _node(name, offered, servers) for name in whole}
    return Graph(nodes, offered.wires, level)


def _servers(offered: Offered) -> list[str]:
    """Return the servers: those that devices learn with, and the ends of routes that are no stations."""
    air = {row["access"] for row in offered.air} | {row["station"] for row in offered.links}
    ends = (row[end] for row in offered.routes for end in ("src", "dst"))
    return list(
        dict.fromkeys([*(row["server"] for row in offered.links), *(e for e in ends if e not in air)])
    )


def _node(name: str, offered: Offered, servers: Sequence[str]) -> Node:
    if name in servers:
        return Node(name, "server", "")
    access, _, station = name.partition("/")
    if access not in {row["access"] for row in offered.air}:
        return Node(name, "switch", "")
    there = sum(row["station"] == name if station else row["access"] == access for row in offered.links)
    return Node(name, "access", count(there, "device"))


def text_of(graph: Graph) -> Iterator[str]:
    """Yield the graph as lines of text, from the top downwards, then the wires that join its branches."""
    import networkx as nx

    tree = graph.tree()
    drawn = set()
    for _, name, wire in tree.edges(data="wire"):
        drawn.add(wire["name"])
        tree.nodes[name]["label"] = f"{_node_text(graph.nodes[name])} ({wire['name']}: {wire_text(wire)})"
    for name in tree:
        tree.nodes[name].setdefault("label", _node_text(graph.nodes[name]))
    top = [name for name, level in graph.level.items() if level == 0]
    yield from (line[4:] for line in nx.generate_network_text(tree.to_undirected(), sources=top))
    for wire in graph.wires:
        if wire["name"] not in drawn:
            yield f"also {' - '.join(ends_of(wire))} ({wire['name']}: {wire_text(wire)})"


def _node_text(node: Node) -> str:
    return f"{node.name}: {node.note}" if node.note else node.name
