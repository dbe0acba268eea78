"""How long transfers took, up and down, beside the airtime that they needed: distributions; it reads no file.

A transfer lasts from the moment at which the sender had the bytes to that at which the receiver has them.
Airtime is what it had of the medium. Several runs are compared by duration alone.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis.air import DIRECTIONS, ways_of
from slfac_sim.analysis.format import quantity
from slfac_sim.analysis.style import WAYS, canvas, legend, legend_label, look
from slfac_sim.analysis.ticks import log_axis, percents
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = False

_LEVELS = np.linspace(0.0, 1.0, 401)
_LEGEND_CHARACTERS = 56  # in one line of a column


@dataclass(frozen=True)
class Series:
    """One run: seconds at each of the levels, by what they are of (`up`, `up, airtime`, `down`, ...)."""

    label: str
    quantiles_s: Mapping[str, Floats]


def data(run: Run) -> Series:
    """Return the quantiles of all transfers that were delivered; a direction without any is left out."""
    rows = run.table("transfers")
    delivered = np.array([outcome == "delivered" for outcome in rows["outcome"]], dtype=bool)
    ways = ways_of(rows)
    end_s, asked_s, airtime_s = (np.asarray(rows[name], float) for name in ("end_s", "asked_s", "airtime_s"))
    quantiles_s = {}
    for way, chosen in ((way, delivered & (ways == way)) for way in DIRECTIONS):
        for name, seconds in ((way, end_s - asked_s), (f"{way}, airtime", airtime_s)):
            if chosen.any():
                quantiles_s[name] = np.quantile(seconds[chosen], _LEVELS, method="inverted_cdf")
    return Series(run.label, quantiles_s)


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each run and level: the seconds that this part of the transfers did not exceed."""
    for run in series:
        for place, level in enumerate(_LEVELS):
            times = {f"{name} (s)": float(values[place]) for name, values in run.quantiles_s.items()}
            yield {"run": run.label, "part of transfers": round(float(level), 4), **times}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of one or several runs."""
    several = len(series) > 1
    lines = [
        (index, name, textwrap.fill(_label(run, name, several), _LEGEND_CHARACTERS))
        for index, run in enumerate(series)
        for name in run.quantiles_s
        if not (several and "airtime" in name)
    ]
    figure, axes = canvas(legend_rows=sum(label.count("\n") + 1 for *_, label in lines) + (not several))
    for index, name, label in lines:
        axes.step(
            series[index].quantiles_s[name],
            _LEVELS,
            where="post",
            label=legend_label(label),
            color=(look(index) if several else WAYS[name.partition(",")[0]]).colour,
            linestyle="-" if name.startswith("up") else "--",
            linewidth=0.7 if "airtime" in name else 1.4,
        )
    log_axis(axes.xaxis)
    axes.set_ylim(0.0, 1.0)
    percents(axes.yaxis)
    axes.set_xlabel("time (s)")
    axes.set_ylabel("part of the transfers")
    axes.grid(axis="x")
    title = None if several else series[0].label
    handles, labels = axes.get_legend_handles_labels()
    legend(figure, handles, labels, title=title)
    return figure


def _label(run: Series, name: str, several: bool) -> str:
    median_s = float(run.quantiles_s[name][len(_LEVELS) // 2])
    middle = quantity(median_s, "s")
    return f"{run.label}: {name}, median {middle}" if several else f"{name}, median {middle}"
