"""How stale the mini-batches, halves and models were that an asynchronous server took; it reads no file.

Runs of other protocols have no such figure.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slfac_sim.analysis.stale import KINDS, Stale, spread_words
from slfac_sim.analysis.stale import stale as data
from slfac_sim.analysis.style import INK, fill, head, stacked_canvas
from slfac_sim.analysis.ticks import percents, whole_numbers

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_MOST_BARS = 40  # wider stretches of staleness beyond that


def table(series: Sequence[Stale]) -> Iterator[dict[str, Any]]:
    """Yield one row for each kind and staleness that there was: how often, and with which mean weight."""
    for run in series:
        for kind, taken in run.taken.items():
            for value in np.unique(taken.staleness):
                chosen = taken.staleness == value
                counted = {"times": int(chosen.sum()), "mean weight": float(taken.weight[chosen].mean())}
                yield {"run": run.label, "kind": kind, "staleness": int(value), **counted}


def draw(series: Sequence[Stale]) -> Figure:
    """Return the figure of the first run: a panel for each kind."""
    run = series[0]
    figure, panels = stacked_canvas(len(run.taken), 38.0 if len(run.taken) > 1 else 55.0, legend_rows=1)
    for index, (axes, (kind, taken)) in enumerate(zip(panels, run.taken.items(), strict=True)):
        _histogram(axes, taken.staleness, index)
        axes.set_title(f"{KINDS[kind]}: {spread_words(taken)}")
        axes.set_ylabel("part of them")
    panels[-1].set_xlabel("staleness (steps, or mixings, behind)")
    head(figure, run.label)
    return figure


def _histogram(axes: Axes, staleness: NDArray[np.int64], index: int) -> None:
    most = int(staleness.max())
    width = -(-(most + 1) // _MOST_BARS)
    shares = np.bincount(staleness // width) / staleness.size
    places = width * (np.arange(shares.size) + 0.5) - 0.5
    axes.bar(places, shares, 0.86 * width, color=fill(3 * index).colour, edgecolor=INK, linewidth=0.4)
    axes.set_xlim(-0.7 * width, max(width * shares.size - 0.3 * width, 5.0))
    whole_numbers(axes.xaxis)
    percents(axes.yaxis)
