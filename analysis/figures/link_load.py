"""How much each link was used, and how long it limited transfers, where there are wires; it reads no file.

A bar is the part of the run in which a link worked at full capacity; beside it stands for how long it was the
one that bound the rate of a transfer, summed over transfers, and which part of that time of all links.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from slfac_sim.analysis.bars import name_ends, stack
from slfac_sim.analysis.format import count, fixed_percent, quantity, shortened
from slfac_sim.analysis.links import Load, loads
from slfac_sim.analysis.rows import rows_if_there, rows_of
from slfac_sim.analysis.style import fill, legend, stacked_canvas, text_pt
from slfac_sim.analysis.ticks import percents
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True
_MOST = 24  # links that are drawn, those that limited most; the table has all
_ROW_MM, _FRAME_MM = 4.4, 14.0
_LETTERS = 24  # in a line of a name


@dataclass(frozen=True)
class Series:
    """One run: what its links carried, those that limited transfers longest first."""

    label: str
    loads: Sequence[Load]


def data(run: Run) -> Series | None:
    """Return what the links of the run carried; None where it has no wires, or does not tell."""
    tables = rows_if_there(run, ("wires", "link_use"))
    if not tables["wires"] or not tables["link_use"]:
        return None
    until_s = max((row["end_s"] for row in rows_of(run, ("transfers",))["transfers"]), default=0.0)
    return Series(run.label, loads(tables, until_s))


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each link."""
    for run in series:
        for load in run.loads:
            yield {"run": run.label, **asdict(load)}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    shown = run.loads[:_MOST]
    names = [_name(load.link) for load in shown]
    lines = sum(1.0 + 0.6 * name.count("\n") for name in names)
    figure, (axes,) = stacked_canvas(1, _ROW_MM * lines + _FRAME_MM, legend_rows=4)
    places, uses = range(len(shown)), np.array([load.utilisation for load in shown])
    wired = np.array([isfinite(load.capacity_bps) for load in shown])
    layers = [("wire", fill(0), uses * wired), ("medium of an access network", fill(2), uses * ~wired)]
    drawn, ends = stack(axes, places, layers, width=0.7, along_x=True)
    whole_s = sum(load.limited_s for load in run.loads)
    name_ends(axes, places, ends, (_limited(load, whole_s) for load in shown))
    axes.set_yticks(places, names, fontsize=text_pt(6.0))
    axes.invert_yaxis()
    most = float(uses.max(initial=0.0)) or 1.0
    axes.set_xlim(0.0, 1.4 * most)  # with room for the texts
    axes.set_xticks([tick for tick in MaxNLocator(4).tick_values(0.0, most) if tick <= 1.0])
    percents(axes.xaxis)
    axes.set_xlabel("in use, part of the run")
    more = "" if len(run.loads) <= _MOST else f": {_MOST} of {count(len(run.loads), 'link')}"
    title = f"{run.label}{more}\nbeside a bar: how long the link limited transfers"
    legend(figure, handles=drawn, ncols=2, title=title, handlelength=1.8)
    return figure


def _name(link: str) -> str:
    """Return a link's name, a long one in two lines: the wire, and its way."""
    wire, _, way = link.partition(" ")
    if len(link) <= _LETTERS or not way:
        return shortened(link, _LETTERS)
    ends = "->".join(shortened(end, _LETTERS // 2) for end in way.split("->"))
    return f"{shortened(wire, _LETTERS)}\n{ends}"


def _limited(load: Load, whole_s: float) -> str:
    if load.limited_s <= 0.0:
        return ""
    return f"{quantity(load.limited_s, 's')} ({fixed_percent(load.limited_s / whole_s)})"
