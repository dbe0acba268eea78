"""How stale the mini-batches, halves and models were that an asynchronous server took; it reads no file.

Staleness is the number of server steps (or mixings) since the one that the device had last learnt from.
Runs of other protocols have no such figure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from slfac_sim.analysis.style import INK, fill, head, stacked_canvas
from slfac_sim.analysis.ticks import percents, whole_numbers
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True
_KINDS = {"step": "server steps", "mix": "mixings"}
_MOST_BARS = 40  # wider stretches of staleness beyond that


@dataclass(frozen=True)
class Taken:
    """What of one kind was taken: its `staleness` and `weight` [times]."""

    staleness: NDArray[np.int64]
    weight: Floats


@dataclass(frozen=True)
class Series:
    """One run: what was taken, by kind; kinds that there were only."""

    label: str
    taken: dict[str, Taken]


def data(run: Run) -> Series | None:
    """Return the table `staleness`; None where it has no row, or is not there."""
    if "staleness" not in run.tables():
        return None
    rows = run.table("staleness")
    staleness, weight = np.asarray(rows["staleness"], np.int64), np.asarray(rows["weight"], np.float64)
    taken = {}
    for kind in _KINDS:
        chosen = np.array([run == kind for run in rows["kind"]], dtype=bool)
        if chosen.any():
            taken[kind] = Taken(staleness[chosen], weight[chosen])
    return Series(run.label, taken) if taken else None


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each kind and staleness that there was: how often, and with which mean weight."""
    for run in series:
        for kind, taken in run.taken.items():
            for value in np.unique(taken.staleness):
                chosen = taken.staleness == value
                counted = {"times": int(chosen.sum()), "mean weight": float(taken.weight[chosen].mean())}
                yield {"run": run.label, "kind": kind, "staleness": int(value), **counted}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run: a panel for each kind."""
    run = series[0]
    figure, panels = stacked_canvas(len(run.taken), 38.0 if len(run.taken) > 1 else 55.0, legend_rows=1)
    for index, (axes, (kind, taken)) in enumerate(zip(panels, run.taken.items(), strict=True)):
        _histogram(axes, taken.staleness, index)
        axes.set_title(f"{_KINDS[kind]}: {_told(taken)}")
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


def _told(taken: Taken) -> str:
    middle, high = np.quantile(taken.staleness, [0.5, 0.95], method="inverted_cdf")
    most = int(taken.staleness.max())
    return f"{taken.staleness.size:,}; median {middle:g}, 95 % up to {high:g}, most {most}"
