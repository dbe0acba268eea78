"""How busy the air was over time, in each direction; it reads no file.

Shown is the part of each bin of time in which at least one transfer was on the air in the direction (between
its first and its last bit). A direction that has half of the medium's time can so be busy to 100 %.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis.air import DIRECTIONS, busy
from slfac_sim.analysis.format import share
from slfac_sim.analysis.rows import rows_of
from slfac_sim.analysis.style import INK, WAYS, head, stacked_canvas
from slfac_sim.analysis.ticks import percents
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True
_BINS = 60


@dataclass(frozen=True)
class Series:
    """One run: edges of the bins, and by direction the busy part of each bin and of the whole."""

    label: str
    edges_s: Floats
    busy: dict[str, Floats]
    mean: dict[str, float]


def data(run: Run) -> Series:
    """Return how busy each direction was, in equal bins over the run."""
    transfers = rows_of(run, ("transfers",))["transfers"]
    until_s = max((row["end_s"] for row in transfers), default=0.0) or 1.0
    edges_s = np.linspace(0.0, until_s, _BINS + 1)
    parts = {way: busy(transfers, way).within_s(edges_s) for way in DIRECTIONS}
    return Series(
        run.label,
        edges_s,
        {way: seconds / np.diff(edges_s) for way, seconds in parts.items()},
        {way: float(seconds.sum()) / until_s for way, seconds in parts.items()},
    )


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each bin."""
    for run in series:
        for place, from_s in enumerate(run.edges_s[:-1]):
            parts = {f"busy {way}": float(run.busy[way][place]) for way in DIRECTIONS}
            yield {"run": run.label, "from_s": float(from_s), "to_s": float(run.edges_s[place + 1]), **parts}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    figure, panels = stacked_canvas(len(DIRECTIONS), 30.0, legend_rows=1)
    for way, axes in zip(DIRECTIONS, panels, strict=True):
        axes.stairs(run.busy[way], run.edges_s, fill=True, color=WAYS[way].colour, alpha=0.45)
        axes.stairs(run.busy[way], run.edges_s, color=INK, linewidth=0.5)
        axes.set_title(f"{way}: busy for {share(run.mean[way], 3)} of the run")
        axes.set_ylim(0.0, 1.0)
        axes.set_xlim(0.0, run.edges_s[-1])
        percents(axes.yaxis)
    panels[-1].set_xlabel("simulated time (s)")
    figure.supylabel("busy part of the time", fontsize=7.5)
    head(figure, run.label)
    return figure
