"""Signal-to-noise ratio and rate of every device, up and down, worst first; it reads no file.

Both are means over the fades, of a device that is alone, in the part of the time of its direction. Where a
crowd or silent neighbours give it more bits in its airtime, the most is shown as well; not behind wires,
where a rate is what the narrowest of them carries at most.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from slfac_sim.analysis.air import TOO_OLD, Offered
from slfac_sim.analysis.air import offered as data
from slfac_sim.analysis.format import amount
from slfac_sim.analysis.style import WAYS, legend, nothing, say, stacked_canvas
from slfac_sim.analysis.ticks import from_zero_or_log

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_PANEL_MM = 34.0
_GAIN = 1.001  # a smaller gain is none


def table(series: Sequence[Offered]) -> Iterator[dict[str, Any]]:
    """Yield one row for each device, in device order: the ledger's `links`, with the rates that are drawn."""
    for run in series:
        for link, bps in zip(run.links, run.drawn_rates_bps(), strict=True):
            yield {"run": run.label, **link, **bps}


def draw(series: Sequence[Offered]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    figure, (above, below) = stacked_canvas(2, _PANEL_MM, legend_rows=4)
    if not run.links:
        return nothing(figure, run.label, TOO_OLD)
    order = np.lexsort((run.column("up_snr_db"), run.rate_bps("up")))
    rank = 1 + np.arange(len(order))
    noisy = False
    for way in WAYS:
        snr_db, rate = run.column(f"{way}_snr_db")[order], run.rate_bps(way)[order]
        best = run.rate_bps(way, "best")[order]
        style = {**WAYS[way].line, "markersize": 1.8, "linestyle": "none"}
        if np.isfinite(snr_db).any():
            noisy = True
            above.plot(rank, np.where(np.isfinite(snr_db), snr_db, np.nan), **style)
        below.plot(rank, np.where(rate > 0.0, rate, np.nan) / 1e6, label=_label(rate, way), **style)
        if not run.wires and (best > _GAIN * rate).any() and np.isfinite(best).all():
            name = f"{way}, at best"
            below.plot(rank, best / 1e6, color=WAYS[way].colour, linewidth=0.8, linestyle="--", label=name)
    _finish(figure, above, below, run, noisy)
    return figure


def _finish(figure: Figure, above: Axes, below: Axes, run: Offered, noisy: bool) -> None:
    if noisy:
        above.set_ylabel("mean SNR (dB)")
        above.tick_params(labelbottom=False)
        above.grid(axis="y")
    else:
        say(above, "The links of this network have no noise.")
    for axes in (above, below):
        axes.set_xlim(0.5, len(run.links) + 0.5)
    shown = "rate" if run.wires else "best"
    from_zero_or_log(below, np.concatenate([run.rate_bps(way, shown) for way in WAYS]) / 1e6)
    below.grid(axis="y")
    below.set_ylabel("rate (Mbit/s)")
    below.set_xlabel("devices, slowest uplink first")
    for axes in (above, below):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    legend(figure, title=f"{run.label}\n{run.alone}")


def _label(rate_bps: Any, way: str) -> str:
    low, middle, high = (amount(float(rate) / 1e6) for rate in np.quantile(rate_bps, [0.0, 0.5, 1.0]))
    return f"{way}: {low} to {high}, median {middle} Mbit/s"
