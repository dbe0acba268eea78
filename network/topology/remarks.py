"""What a user may not have meant of the links of a topology, in sentences."""

from collections.abc import Iterable, Iterator, Mapping

from slfac_sim.foundation.units import exact
from slfac_sim.network.topology.graphml import ignored_in
from slfac_sim.network.topology.settings import GraphFile, WiredLink

_SLOW_S = 1.0
_NARROW_BPS = 1e3


def remarks_on(links: Mapping[str, WiredLink], graph: GraphFile | None) -> Iterator[str]:
    """Yield what is odd about `links`, and what `graph`, where they are from, says in vain."""
    ignored = [] if graph is None else ignored_in(graph.file)
    if ignored:
        yield (
            f"network.graph.file: links have no {', '.join(ignored)}, so these attributes of edges"
            " are ignored"
        )
    slow = {name: link.latency for name, link in links.items() if link.latency >= _SLOW_S}
    yield from _odd("latency", slow, "s", "ms")
    narrow = {name: min(link.capacity, link.way_back) for name, link in links.items()}
    yield from _odd("capacity", {n: bps for n, bps in narrow.items() if bps < _NARROW_BPS}, "bit/s", "Mbit/s")


def _odd(what: str, values: Mapping[str, float], unit: str, meant: str) -> Iterator[str]:
    if values:
        text = f"{exact(next(iter(values.values())))} {meant}"
        yield (
            f"the {what} of {_listed(values, unit)}; is it {meant} that was meant? A plain number is in"
            f" {unit}, and a unit is taken as text, such as '{text}'"
        )


def _listed(values: Mapping[str, float], unit: str) -> str:
    shown: Iterable[tuple[str, float]] = list(values.items())[:3]
    rest = len(values) - 3
    more = f" (and {rest} more)" if rest > 0 else ""
    return ", ".join(f"{name} is {exact(value)} {unit}" for name, value in shown) + more
