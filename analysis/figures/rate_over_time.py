"""Bits per second that each direction carried over time, and what one transfer had; it reads no file."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from slfac_sim.analysis.air import DIRECTIONS
from slfac_sim.analysis.format import amount
from slfac_sim.analysis.rates_over_time import Series, rates_over_time
from slfac_sim.analysis.style import INK, WAYS, legend, stacked_canvas
from slfac_sim.analysis.ticks import from_zero_or_log
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True


def data(run: Run) -> Series:
    """Return the rates in equal bins over the run, packet headers included."""
    return rates_over_time(run)


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each bin; the median is empty where nothing was under way."""
    for run in series:
        for place, from_s in enumerate(run.edges_s[:-1]):
            row = {"run": run.label, "from_s": float(from_s), "to_s": float(run.edges_s[place + 1])}
            for way in DIRECTIONS:
                median_bps = run.median_bps[way][place]
                row[f"{way}_bps"] = float(run.total_bps[way][place])
                row[f"{way}_median_transfer_bps"] = "" if np.isnan(median_bps) else float(median_bps)
            yield row


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    figure, panels = stacked_canvas(len(DIRECTIONS), 32.0, legend_rows=2)
    for way, axes in zip(DIRECTIONS, panels, strict=True):
        both_bps = (run.total_bps[way], run.median_bps[way])
        totals, medians = (np.where(bps > 0.0, bps, np.nan) / 1e6 for bps in both_bps)
        axes.stairs(totals, run.edges_s, color=WAYS[way].colour, linewidth=1.2, baseline=None)
        axes.stairs(medians, run.edges_s, color=WAYS[way].colour, linewidth=0.8, baseline=None, linestyle=":")
        axes.set_xlim(0.0, run.edges_s[-1])
        from_zero_or_log(axes, np.concatenate([totals, medians]))
        axes.set_ylabel("Mbit/s")
        axes.set_title(_title(run, way))
    panels[-1].set_xlabel("simulated time (s)")
    lines = [
        Line2D([], [], color=INK, linewidth=1.2),
        Line2D([], [], color=INK, linewidth=0.8, linestyle=":"),
    ]
    names = ("all together, mean of a bin", "a transfer (median)")
    legend(figure, lines, names, ncols=2, title=run.label)
    return figure


def _title(run: Series, way: str) -> str:
    medians = run.median_bps[way][~np.isnan(run.median_bps[way])]
    if not medians.size:
        return f"{way}: nothing was sent"
    alone = amount(float(np.median(medians)) / 1e6)
    return f"{way}: {amount(run.busy_bps[way] / 1e6)} Mbit/s while busy, {alone} for a transfer"
