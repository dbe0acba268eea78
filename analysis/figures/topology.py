"""The graph behind the air: access networks, wires by how much they were used, servers; it reads no file.

Columns are levels: the top, servers without devices or else all servers, stands on the right. A wire is as
wide as its capacity, by orders of magnitude, and has the colour of the way that was used more. The link that
limited transfers longest is marked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from slfac_sim.analysis.air import Offered, offered
from slfac_sim.analysis.format import count, fixed_percent, listed, quantity, shortened
from slfac_sim.analysis.graph import Graph, capacity_text, ends_of, graph_of, links_of
from slfac_sim.analysis.links import Load, loads
from slfac_sim.analysis.placing import (
    LETTER_MM,
    LINE_MM,
    Place,
    Places,
    box_of,
    columns_of,
    common,
    places_of,
)
from slfac_sim.analysis.rows import rows_if_there, rows_of
from slfac_sim.analysis.structure import Row
from slfac_sim.analysis.style import HALO, INK, head, page, stacked_canvas, text_pt
from slfac_sim.analysis.ticks import percents
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True
_COLOURS = ListedColormap(matplotlib.colormaps["YlOrRd"](np.linspace(0.3, 1.0, 256)))  # none is too pale
_TOPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # where the scale of use may end
_MARK = "#832db6"  # the link that limited most
_MARKERS = {"server": ("s", 7.0), "access": ("^", 6.0), "switch": ("o", 4.5)}
_PARTS = [0.48 + sign * 0.03 * step for step in range(13) for sign in (1, -1)]  # where a wire is named
_CLEAR_MM = 1.6  # about a node
_MANY = 6  # rows; with more, what is said of the last wire to an access network stands at its name
_LETTERS = 20  # of a name; of longer ones the middle is left to the table


_Line = tuple[float, float, float, float, float]  # both ends (x, y), and how it is bent


@dataclass(frozen=True)
class Used(Offered):
    """What the network of one run offers, and what its links carried, those that limited most first."""

    loads: Sequence[Load] = ()


def data(run: Run) -> Used | None:
    """Return the topology of the run; None for a network without wires."""
    air, tables = offered(run), rows_if_there(run, ("wires", "link_use"))
    if not air.wires:
        return None
    until_s = max((row["end_s"] for row in rows_of(run, ("transfers",))["transfers"]), default=0.0)
    return Used(**vars(air), loads=loads(tables, until_s))


def table(series: Sequence[Offered]) -> Iterator[dict[str, Any]]:
    """Yield one row for each direction of a wire."""
    for run in series:
        load_of = {load.link: load for load in _loads(run)}
        for wire in run.wires:
            for link in links_of(wire):
                load = load_of.get(link)
                used = {"utilisation": load and load.utilisation, "limited_s": load and load.limited_s}
                yield {"run": run.label, "link": link, **wire, **used}


def draw(series: Sequence[Offered]) -> Figure:
    """Return the figure of the first run, or of a scenario before its run."""
    run = series[0]
    graph, used = graph_of(run), _loads(run)
    columns = columns_of(graph)
    rows = max(map(len, columns), default=1)
    texts = _texts(run, graph, rows > _MANY)
    lines = max(text.count("\n") + 1 for text in texts.values())
    row_mm = 6.5 if rows > _MANY else 8.0 + 2.0 * LINE_MM * lines
    figure, (axes,) = stacked_canvas(1, row_mm * max(rows, 2), legend_rows=6 if used else 3)
    width_mm = page().width_mm - 3.0
    left_mm, right_mm = (_room_mm(texts[name] for name in columns[place]) for place in (-1, 0))
    places = places_of(columns, left_mm, width_mm - right_mm, row_mm)
    axes.set(xlim=(0.0, width_mm), ylim=(-row_mm * rows, 0.0))
    axes.set_axis_off()
    most = max((_use(wire, used) for wire in graph.wires), default=0.0)
    top = next(top for top in _TOPS if top >= min(most, 1.0))
    _nodes(axes, graph, used, places, texts)
    for wire, line in zip(graph.wires, _wires(axes, graph, used, places, top), strict=True):
        is_bound = _limiting(used) in links_of(wire)
        _name(axes, line, texts[f"wire {wire['name']}"], _MARK if is_bound else INK, places)
    if used:
        _bar(figure, axes, top)
    head(figure, "\n".join([run.label, _title(run, graph, used)]))
    return figure


def _loads(run: Offered) -> Sequence[Load]:
    return run.loads if isinstance(run, Used) else ()


def _limiting(used: Sequence[Load]) -> str:
    """Return the link that limited transfers longest; empty if none did."""
    return next((load.link for load in used if load.limited_s > 0.0), "")


def _title(run: Offered, graph: Graph, used: Sequence[Load]) -> str:
    """Return what the graph has, and which link limited most."""
    limited_s = sum(load.limited_s for load in used)
    if limited_s > 0.0:
        share = fixed_percent(used[0].limited_s / limited_s)
        return f"the link that limited most: {used[0].link},\n{share} of the time that links limit"
    parts = count(len(run.air), "access network"), count(len(run.links), "device")
    return f"{', '.join(parts)}, {count(len(graph.wires), 'wire')}"


def _texts(run: Offered, graph: Graph, many: bool) -> dict[str, str]:
    """Return what is written at each node, and at each wire by its name; nothing where the node says it."""
    texts = {f"wire {wire['name']}": _wire_text(wire) for wire in graph.wires}
    for name, node in graph.nodes.items():
        note = node.note + (" " if many else "\n") * bool(home := _homes(run, name)) + home
        texts[name] = "\n".join(filter(None, (shortened(name, _LETTERS), note)))
        wires = [wire for wire in graph.wires if name in ends_of(wire)]
        if many and node.kind == "access" and len(wires) == 1:
            texts[name] = f"{shortened(name, _LETTERS)}, {note}\n{_last_text(wires[0], name)}"
            texts[f"wire {wires[0]['name']}"] = ""
    return texts


def _homes(run: Offered, node: str) -> str:
    """Return with which servers the devices at a node learn, where there are several servers."""
    there = {link["server"] for link in run.links if node in (link["access"], link["station"])}
    is_said = there and len({link["server"] for link in run.links}) > 1
    return f"of {listed(sorted(there))}" if is_said else ""


def _wire_text(wire: Row) -> str:
    """Return the name of a wire, its capacity and its latency; two capacities stand in a line each."""
    name, latency = shortened(wire["name"], _LETTERS), f"{1e3 * wire['latency_s']:.3g} ms"
    text = capacity_text(wire)
    if text.count("->") < 2:
        return f"{name}\n{text}, {latency}"
    return "\n".join([f"{name}, {latency}", *text.split(", ")])


def _last_text(wire: Row, node: str) -> str:
    """Return the same in one line, as the last wire to a node has it."""
    up, down = (quantity(wire[f"{way}_bps"], "bit/s") for way in ("capacity", "back"))
    if ends_of(wire)[0] != node:
        up, down = down, up
    both = wire["half_duplex"] or up == down
    capacity = up if both else f"up {up}, down {down}"
    return f"{shortened(wire['name'], _LETTERS)}: {capacity}, {1e3 * wire['latency_s']:.3g} ms"


def _room_mm(texts: Iterable[str]) -> float:
    """Return how much room texts at the edge take."""
    return LETTER_MM * max((len(line) for text in texts for line in text.split("\n")), default=0) + 3.0


def _nodes(axes: Axes, graph: Graph, used: Sequence[Load], places: Places, texts: Mapping[str, str]) -> None:
    """Draw the nodes; names stand beside those from which no wire goes further, below the others."""
    inner = {one for wire in graph.wires for one in ends_of(wire) if _has_below(graph, one, wire)}
    medium = _limiting(used)
    for name, node in graph.nodes.items():
        x, y = places[name]
        marker, size = _MARKERS[node.kind]
        colour = _MARK if " " not in medium and medium.startswith(f"{name}/") else INK
        axes.plot(x, y, marker, markersize=size, color="white", markeredgecolor=colour, zorder=3)
        at: dict[str, Any] = {"ha": "center", "va": "top"}
        shift_mm = (0.0, -1.6)
        if graph.level[name] == 0 or name not in inner:
            side = 1.0 if graph.level[name] == 0 else -1.0
            at, shift_mm = {"ha": "left" if side > 0.0 else "right", "va": "center"}, (1.8 * side, 0.0)
        style: dict[str, Any] = {"fontsize": 6.0, "zorder": 6, "color": colour, "path_effects": HALO}
        axes.text(x + shift_mm[0], y + shift_mm[1], texts[name], **style, **at)


def _has_below(graph: Graph, node: str, wire: Row) -> bool:
    return any(graph.level[end] > graph.level[node] for end in ends_of(wire))


def _wires(axes: Axes, graph: Graph, used: Sequence[Load], places: Places, top: float) -> list[_Line]:
    """Draw the wires: straight between levels, bent within one or where several join the same two nodes."""
    lines = []
    joined: Counter[frozenset[str]] = Counter()
    for wire in graph.wires:
        one, other = sorted(ends_of(wire), key=lambda name: -graph.level[name])
        bend = 0.25 * (graph.level[one] == graph.level[other]) + 0.2 * joined[frozenset((one, other))]
        joined[frozenset((one, other))] += 1
        lines.append((*places[one], *places[other], bend))
        colour = _COLOURS(min(_use(wire, used) / top, 1.0)) if used else INK
        _draw(axes, lines[-1], _width(wire), colour, _limiting(used) in links_of(wire))
    return lines


def _use(wire: Row, used: Sequence[Load]) -> float:
    """Return how much of the run the busier way of a wire was in use."""
    return max((load.utilisation for load in used if load.link in links_of(wire)), default=0.0)


def _width(wire: Row) -> float:
    """Return the width of a wire in points: that of 1 Gbit/s is 2, and 0.5 less for each order below."""
    return min(3.0, max(0.8, 2.0 + 0.5 * (log10(wire["capacity_bps"]) - 9.0)))


def _draw(axes: Axes, line: _Line, width: float, colour: Any, is_bound: bool) -> None:
    one, other, how = line[:2], line[2:4], f"arc3,rad={line[4]}"
    style: dict[str, Any] = {"arrowstyle": "-", "connectionstyle": how, "shrinkA": 0, "shrinkB": 0}
    if is_bound:
        axes.add_patch(FancyArrowPatch(one, other, color=_MARK, linewidth=width + 2.4, zorder=1, **style))
    axes.add_patch(FancyArrowPatch(one, other, color=colour, linewidth=width, zorder=2, **style))


def _name(axes: Axes, line: _Line, text: str, colour: str, nodes: Places) -> None:
    """Write what a wire is: above it, or across it where it is steep, there where it covers least."""
    from_x, from_y, to_x, to_y, bend = line
    is_level = abs(to_y - from_y) < 0.2 * abs(to_x - from_x)
    taken = [box_of(other, other.get_position()) for other in axes.texts if other.get_text()]
    taken += [(x - _CLEAR_MM, x + _CLEAR_MM, y - _CLEAR_MM, y + _CLEAR_MM) for x, y in nodes.values()]
    style: dict[str, Any] = {"ha": "center", "va": "bottom" if is_level else "center", "zorder": 5}
    written = axes.text(0.0, 0.0, text, fontsize=text_pt(5.5), color=colour, path_effects=HALO, **style)

    def place(part: float) -> Place:
        sag = 2.0 * bend * part * (1.0 - part)
        x = from_x + part * (to_x - from_x) + sag * (to_y - from_y)
        return x, from_y + part * (to_y - from_y) - sag * (to_x - from_x) + 0.8 * is_level

    def covered(part: float) -> float:
        box = box_of(written, place(part))
        return sum(common(box, other) for other in taken) + 0.1 * abs(part - 0.48)

    written.set_position(place(min(_PARTS, key=covered)))


def _bar(figure: Figure, axes: Axes, top: float) -> None:
    colours = ScalarMappable(Normalize(0.0, top), _COLOURS)
    bar = figure.colorbar(colours, ax=axes, location="bottom", fraction=0.05, pad=0.02, aspect=40)
    bar.set_label("wire in use, part of the run, the busier way")
    bar.set_ticks(np.linspace(0.0, top, 6).tolist())
    percents(bar.ax.xaxis)
    bar.outline.set_linewidth(0.4)
