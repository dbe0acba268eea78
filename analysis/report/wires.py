"""The graph of wires for the page: nodes by level, wires by how much they were used; and a table of links."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.format import count, fixed_percent
from slfac_sim.analysis.graph import Graph, capacity_text, ends_of, graph_of, links_of, wire_text
from slfac_sim.analysis.links import Load
from slfac_sim.analysis.placing import Places, columns_of, places_of
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Cell, Chart, Table
from slfac_sim.analysis.report.many import Column, few_or_quantiles
from slfac_sim.analysis.structure import Row

_SHAPES = {"server": "square", "access": "triangle-up", "switch": "circle"}
_CALLED = {"server": "server", "access": "access network or station", "switch": "switch"}
_STEPS = (0.01, 0.1, 0.5)  # of use; a wire is the wider the more of them it is beyond
_ALONG = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)  # of a wire, where it can be pointed at
_MOST_WIRES = 300  # that are drawn


def graph(offered: Offered, loads: Sequence[Load]) -> Iterator[Chart]:
    """Yield the graph: the top on the right, each wire as wide as it was used."""
    if not offered.wires:
        return
    found = graph_of(offered)
    columns = columns_of(found)
    places = places_of(columns, 0.0, float(len(columns) - 1), 1.0)
    traces = [*_wires(found, loads, places), *_nodes(found, places)]
    rows = max(map(len, columns))
    hidden = {"visible": False, "showgrid": False}
    layout = {
        "xaxis": {**hidden, "range": [-0.6, len(columns) - 0.4]},
        "yaxis": {**hidden, "range": [-rows - 0.2, 0.2]},
        "hovermode": "closest",
    }
    height_px = min(900, 220 + 44 * rows)
    yield Chart("Wires", _in_words(found, loads), traces, layout, height_px=height_px)


def _in_words(found: Graph, loads: Sequence[Load]) -> str:
    whole_s = sum(load.limited_s for load in loads)
    what = f"{count(len(found.nodes), 'node')}, {count(len(found.wires), 'wire')}"
    if whole_s <= 0.0:
        return f"{what}; none limited a transfer."
    share = fixed_percent(loads[0].limited_s / whole_s)
    most = f"{loads[0].link} limited transfers most, {share} of the time for which links did"
    looks = "The wire that limited most is in another colour; the wider a wire, the more of it was used."
    return f"{what}; {most}. {looks}"


def _use(wire: Row, loads: Sequence[Load]) -> float:
    return max((load.utilisation for load in loads if load.link in links_of(wire)), default=0.0)


def _wires(found: Graph, loads: Sequence[Load], places: Places) -> Iterator[dict[str, Any]]:
    """Yield a line for each wire, which says along its way what it is, with a mark in its middle."""
    limiting = next((load.link for load in loads if load.limited_s > 0.0), "")
    for wire in found.wires[:_MOST_WIRES]:
        (from_x, from_y), (to_x, to_y) = (places[end] for end in ends_of(wire))
        use = _use(wire, loads)
        is_bound = limiting in links_of(wire)
        width = 1.5 + 2.0 * sum(use > step for step in _STEPS)
        look = {"color": "var(--series-2)" if is_bound else "var(--series-0)", "width": width}
        said = f"{wire['name']}: {wire_text(wire)}; {fixed_percent(use, 1)} of its greatest capacity used"
        yield {
            "type": "scatter",
            "mode": "lines+markers",
            "name": wire["name"],
            "x": [from_x + part * (to_x - from_x) for part in _ALONG],
            "y": [from_y + part * (to_y - from_y) for part in _ALONG],
            "text": [said] * len(_ALONG),
            "line": look,
            "marker": {
                "size": [9 * (part == 0.5) for part in _ALONG],
                "color": look["color"],
                "symbol": "line-ns",
            },
            "hovertemplate": "%{text}<extra></extra>",
            "showlegend": False,
        }


def _nodes(found: Graph, places: Places) -> Iterator[dict[str, Any]]:
    for kind, symbol in _SHAPES.items():
        nodes = [node for node in found.nodes.values() if node.kind == kind]
        if nodes:
            yield {
                "type": "scatter",
                "mode": "markers+text",
                "name": _CALLED[kind],
                "x": [places[node.name][0] for node in nodes],
                "y": [places[node.name][1] for node in nodes],
                "text": [f"{node.name}<br>{node.note}" if node.note else node.name for node in nodes],
                "textposition": "bottom center",
                "cliponaxis": False,
                "marker": {"symbol": symbol, "size": 14, "color": "var(--ink)"},
                "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
            }


def links_table(offered: Offered, loads: Sequence[Load]) -> Iterator[Table]:
    """Yield what each link carried, those that limited transfers most first; of many the quantiles."""
    if not loads:
        return
    wires = {link: capacity_text(wire) for wire in offered.wires for link in links_of(wire)}
    ordered = sorted(loads, key=lambda load: -load.limited_s)
    whole_s = sum(load.limited_s for load in loads) or 1.0
    figures: dict[str, tuple[list[Any], Callable[[Any], Cell]]] = {
        "what": ([_what(load, wires) for load in ordered], cells.said),
        "greatest capacity": ([load.capacity_bps for load in ordered], _rate),
        "carried": ([load.carried_bits / 8 for load in ordered], _size),
        "lost": ([load.lost_bits / 8 for load in ordered], _size),
        "of it used": ([load.utilisation for load in ordered], _share),
        "of all limiting": ([load.limited_s / whole_s for load in ordered], _share),
        "limited transfers for": ([load.limited_s for load in ordered], cells.seconds),
    }
    columns = [Column(name, values, shown) for name, (values, shown) in figures.items()]
    yield from few_or_quantiles("Links", "link", [load.link for load in ordered], columns)


def _what(load: Load, wires: Mapping[str, str]) -> str:
    return "wire" if load.link in wires or isfinite(load.capacity_bps) else "medium"


def _rate(bps: float) -> Cell:
    return cells.measured(bps, "bit/s")


def _size(nbytes: float) -> Cell:
    return cells.measured(nbytes, "B")


def _share(part: float) -> Cell:
    return cells.share(part, 1)
