"""Links from a GraphML file: each edge is read as a link of a scenario is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from pydantic import ValidationError

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter
from slfac_sim.foundation.words import in_words
from slfac_sim.network.topology.settings import WiredLink

_NEEDED = ("capacity", "latency")
_KNOWN = (*_NEEDED, "back_capacity", "duplex", "loss", "header_bytes")


def links_in(path: Path) -> dict[str, WiredLink]:
    """Return the links by their names: the attribute `name` or, without one, ``a-b``. Raises `BadInput`."""
    place = f"network.graph.file: '{path}'"
    links: dict[str, WiredLink] = {}
    for one, other, attributes in _edges(path, place):
        name = str(attributes.get("name", f"{one}-{other}"))
        if name in links:
            raise BadInput(f"{place}: two edges are called {name}; tell them apart by the attribute name")
        links[name] = _link(f"{place}: edge {name}", (one, other), attributes)
    return links


def _edges(path: Path, place: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    import networkx as nx

    try:
        graph = nx.read_graphml(path)
    except (OSError, ValueError, KeyError, ParseError, nx.NetworkXError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{place} cannot be read as GraphML ({reason})") from error
    if graph.is_directed():
        raise BadInput(f"{place}: a directed graph, expected an undirected one: links go both ways")
    for one, other, attributes in graph.edges(data=True):
        yield str(one), str(other), attributes


def _link(place: str, between: tuple[str, str], attributes: Mapping[str, Any]) -> WiredLink:
    missing = [name for name in _NEEDED if name not in attributes]
    if missing:
        raise BadInput(f"{place}: has no {' and no '.join(missing)}")
    known = {name: attributes[name] for name in _KNOWN if name in attributes}
    try:
        link: WiredLink = adapter(WiredLink).validate_python({"between": between, **known})
    except ValidationError as error:
        details = error.errors()[0]
        where = ".".join(map(str, details["loc"]))
        text = in_words(details, known.get(where))
        raise BadInput(f"{place}: {f'{where}: {text}' if where else text}") from error
    return link
