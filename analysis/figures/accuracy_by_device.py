"""Accuracy of every device on its own share of the test set: over time, and in the end; it reads no file."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from slfac_sim.analysis.format import fixed_percent, percent
from slfac_sim.analysis.own_shares import OwnShares, interval, metric_of
from slfac_sim.analysis.own_shares import own_shares as data
from slfac_sim.analysis.style import FAINT, legend, look, name_ticks, stacked_canvas
from slfac_sim.analysis.ticks import plain_axis

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_PANEL_MM = 46.0
_MOST_NAMED = 12  # devices
_LINES = {"device_mean": "mean of devices", "device_worst_tenth": "worst tenth"}
_INTERVAL = "95 % interval for its samples"


def table(series: Sequence[OwnShares]) -> Iterator[dict[str, Any]]:
    """Yield one row for each device and evaluation."""
    for run in series:
        for number, at_s, counted in zip(run.rounds, run.at_s, run.correct.tolist(), strict=True):
            for device, samples, correct in zip(run.devices, run.samples.tolist(), counted, strict=True):
                shown = {
                    "device": device,
                    "samples": samples,
                    "correct": correct,
                    "accuracy": correct / samples,
                }
                yield {"run": run.label, "round": number, "at_s": float(at_s), **shown}


def draw(series: Sequence[OwnShares]) -> Figure:
    """Return the figure of the first run: over time above, devices by their accuracy in the end below."""
    run = series[0]
    figure, (over_time, last) = stacked_canvas(2, _PANEL_MM, legend_rows=3)
    _over_time(over_time, run)
    _last(last, run)
    legend(figure, ncols=2, title=run.label, handlelength=1.6, columnspacing=1.2)
    return figure


def _over_time(axes: Axes, run: OwnShares) -> None:
    shares = run.correct / run.samples
    worst, best = shares.min(axis=1), shares.max(axis=1)
    axes.fill_between(
        run.at_s, worst, best, color=FAINT, alpha=0.5, linewidth=0.0, label="worst to best device"
    )
    for place, (name, label) in enumerate(_LINES.items()):
        axes.plot(run.at_s, metric_of(name, run), label=label, clip_on=False, **look(place).outlined)
    axes.set_xlim(0.0, float(run.at_s.max()) * 1.03 or 1.0)
    plain_axis(axes.xaxis)
    axes.set_xlabel("simulated time (s)")
    _share_axis(axes, 0.0)


def _last(axes: Axes, run: OwnShares) -> None:
    """Draw the devices by their accuracy, each with the interval that so few samples leave."""
    order = np.lexsort((run.samples, run.correct[-1] / run.samples))
    samples, shares = run.samples[order], (run.correct[-1] / run.samples)[order]
    low, high = interval(shares, samples)
    places, size = np.arange(len(order)), 5.0 if len(order) <= _MOST_NAMED else 2.0
    axes.vlines(places, low, high, color=FAINT, linewidth=min(3.0, 120.0 / len(order)), label=_INTERVAL)
    axes.plot(
        places, shares, "o", color=look(4).colour, markersize=size, zorder=3, clip_on=False, label="device"
    )
    mean, worst, spread = (float(metric_of(name, run)[-1]) for name in (*_LINES, "device_spread"))
    tenth = -(-len(order) // 10)
    axes.hlines(mean, -0.6, len(order) - 0.4, color=look(0).colour, linewidth=1.0, zorder=2)
    axes.hlines(worst, -0.4, tenth - 0.6, color=look(1).colour, linewidth=2.0, zorder=4)
    axes.set_xlim(-0.6, len(order) - 0.4)
    _name(axes, [run.devices[place] for place in order], samples)
    _share_axis(axes, min(float(low.min()), worst))
    told = {"mean": mean, "worst tenth": worst, "spread": spread}
    axes.set_title(", ".join(f"{name} {fixed_percent(value, 1)}" for name, value in told.items()))


def _name(axes: Axes, names: Sequence[str], samples: NDArray[np.int64]) -> None:
    """Name the devices, if they are few, and say how many test samples they have."""
    least, most = int(samples.min()), int(samples.max())
    each = f"{least} test samples each" if least == most else f"{least} to {most} test samples"
    if len(names) <= _MOST_NAMED:
        name_ticks(axes, names, 8)
        axes.set_xlabel(f"devices ({each})")
        return
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"{len(names)} devices by their accuracy ({each})")


def _share_axis(axes: Axes, least: float) -> None:
    axes.set_ylim(max(0.0, least - 0.02), 1.0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(round(share, 6))))
    axes.set_ylabel("accuracy on own share")
