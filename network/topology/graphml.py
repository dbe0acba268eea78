"""Links from a GraphML file: each edge, or each two opposite ones, is read as a link of a scenario is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from pydantic import ValidationError

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.plugins import adapter
from slfac_sim.foundation.words import in_words
from slfac_sim.network.topology.settings import WiredLink

if TYPE_CHECKING:
    import networkx as nx

_NEEDED = ("capacity", "latency")
_KNOWN = (*_NEEDED, "duplex", "loss", "header_bytes")
_TOLD_BY_EDGES = "back_capacity"
_OPPOSITE = "the opposite edge says it, as its capacity"
_WRITE_DIRECTED = (
    "an undirected edge does not say which way is back; write a directed graph (networkx.DiGraph) with an"
    " edge for each way, each with its capacity"
)
_NAMES = ("name", "id")  # the second is GraphML's own

Edge = tuple[str, str, Mapping[str, Any]]


def links_in(path: Path) -> dict[str, WiredLink]:
    """Return the links by their names: the attribute `name` or, without one, ``a-b``. Raises `BadInput`.

    In a directed graph two opposite edges, of one name or both without, are the two ways of one link.
    """
    place = f"network.graph.file: '{path}'"
    graph = _read(path, place)
    edges = list(_edges(graph))
    links: dict[str, WiredLink] = {}
    for ways in _wires(edges) if graph.is_directed() else [[edge] for edge in edges]:
        name = _name(ways[0])
        at = f"{place}: edge {name}"
        if name in links or not _one_wire(ways):
            raise BadInput(f"{place}: two edges are called {name}; tell them apart by the attribute name")
        read = [_link(at, edge, graph.is_directed()) for edge in ways]
        links[name] = _joined(at, read) if graph.is_directed() else read[0]
    return links


def ignored_in(path: Path) -> list[str]:
    """Return the attributes of edges that say nothing of links. Raises `BadInput`."""
    names = (
        name for *_, attributes in _edges(_read(path, f"network.graph.file: '{path}'")) for name in attributes
    )
    return sorted({name for name in names if name not in (*_KNOWN, *_NAMES)})


def _read(path: Path, place: str) -> "nx.Graph[Any]":
    import networkx as nx

    try:
        graph: nx.Graph[Any] = nx.read_graphml(path)
    except (OSError, ValueError, KeyError, ParseError, nx.NetworkXError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{place} cannot be read as GraphML ({reason})") from error
    return graph


def _edges(graph: "nx.Graph[Any]") -> Iterator[Edge]:
    for one, other, attributes in graph.edges(data=True):
        yield str(one), str(other), attributes


def _name(edge: Edge) -> str:
    one, other, attributes = edge
    return str(attributes.get("name", f"{one}-{other}"))


def _wires(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Return the directed `edges` that are one wire together: those of one name, or of two nodes."""
    wires: dict[Any, list[Edge]] = {}
    for edge in edges:
        one, other, attributes = edge
        wires.setdefault(attributes.get("name", frozenset((one, other))), []).append(edge)
    return list(wires.values())


def _one_wire(ways: Sequence[Edge]) -> bool:
    """Return whether these are one edge, or two opposite ones."""
    return len(ways) == 1 or [edge[:2] for edge in ways[1:]] == [ways[0][1::-1]]


def _joined(place: str, ways: Sequence[WiredLink]) -> WiredLink:
    """Return the link of two opposite edges. Raises `BadInput` where they are no two ways of one wire."""
    there, back = ways[0], ways[-1]
    one, other = there.between
    if len(ways) == 1:
        raise BadInput(
            f"{place}: leads from {one} to {other} alone; a wire of a directed graph is two opposite edges,"
            f" the other from {other} to {one}"
        )
    ends = asdict(there), asdict(back)
    differ = [key for key in _KNOWN[1:] if ends[0][key] != ends[1][key]]
    if differ:
        raise BadInput(f"{place}: its two ways differ in {' and '.join(differ)}, expected in capacity alone")
    if back.capacity == there.capacity:
        return there
    if there.duplex == "half":
        raise BadInput(f"{place}: its two ways have capacities of their own; duplex: half shares one")
    return replace(there, back_capacity=back.capacity)


def _link(place: str, edge: Edge, is_directed: bool) -> WiredLink:
    one, other, attributes = edge
    _check_names(place, attributes, is_directed)
    known = {name: attributes[name] for name in _KNOWN if name in attributes}
    try:
        link: WiredLink = adapter(WiredLink).validate_python({"between": (one, other), **known})
    except ValidationError as error:
        details = error.errors()[0]
        where = ".".join(map(str, details["loc"]))
        text = in_words(details, known.get(where))
        raise BadInput(f"{place}: {f'{where}: {text}' if where else text}") from error
    return link


def _check_names(place: str, attributes: Mapping[str, Any], is_directed: bool) -> None:
    """Raise `BadInput` for attributes that are missing, or are not what they seem to be."""
    if _TOLD_BY_EDGES in attributes:
        how = "the opposite edge says it, as its capacity"
        if not is_directed:
            how = (
                "an undirected edge does not say which way is back; write a directed graph (networkx.DiGraph)"
            )
            how += " with an edge for each way, each with its capacity"
        raise BadInput(f"{place}: {_TOLD_BY_EDGES}: {how}")
    for name in attributes:
        near = did_you_mean(name, (*_KNOWN, "name", _TOLD_BY_EDGES))
        if name not in (*_KNOWN, *_NAMES) and near:
            raise BadInput(f"{place}: unknown attribute '{name}'{near}")
    missing = [name for name in _NEEDED if name not in attributes]
    if missing:
        raise BadInput(f"{place}: has no {' and no '.join(missing)}")
