"""What every device did in one round, and when: a timeline, fastest device on top; it reads no file.

The round shown is the second, the first that begins with an average handed out, or the first of a run that
has no second. `server` is the time in which the server works on what the device waits for, or has it queued.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from slfac_sim.analysis.days import LANES, RoundDays
from slfac_sim.analysis.days import round_days as data
from slfac_sim.analysis.style import INK, WAYS, Fill, fill, legend, stacked_canvas

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_WAY_LOOKS = (Fill(look.colour, "") for look in WAYS.values())
_LOOKS = dict(zip(LANES, (fill(6), fill(7), *_WAY_LOOKS, fill(2), fill(4)), strict=True))
_NAMED = 24  # devices that can all be named beside their rows
_PANEL_MM = 62.0


def table(series: Sequence[RoundDays]) -> Iterator[dict[str, Any]]:
    """Yield one row for each stretch of each device's time."""
    for run in series:
        for device, day in run.days.items():
            for from_s, to_s, lane in day:
                speed = run.speeds_flops[device]
                yield {"device": device, "speed_flops": speed, "from_s": from_s, "to_s": to_s, "doing": lane}


def draw(series: Sequence[RoundDays]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    figure, (axes,) = stacked_canvas(1, _PANEL_MM, legend_rows=4)
    half = 0.5 if len(run.days) > _NAMED else 0.42  # rows touch where they are too thin to be told apart
    for lane in LANES:
        bars = [
            [(from_s, row - half), (from_s, row + half), (to_s, row + half), (to_s, row - half)]
            for row, day in enumerate(run.days.values())
            for from_s, to_s, doing in day
            if doing == lane
        ]
        colour = _LOOKS[lane].colour
        axes.add_collection(PolyCollection(bars, facecolor=colour, linewidth=0, rasterized=True))
    devices = list(run.days)
    axes.set_ylim(max(len(devices), 1) - 0.5, -0.5)
    axes.set_xlim(run.from_s, run.to_s)
    if len(devices) <= _NAMED:
        axes.set_yticks(range(len(devices)), devices)
        axes.set_ylabel("devices, fastest on top")
    else:
        axes.set_yticks([0, len(devices) - 1], [devices[0], devices[-1]])
        axes.set_ylabel(f"{len(devices)} devices, fastest on top")
    axes.set_xlabel("simulated time (s)")
    style: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.4}
    handles = [Patch(facecolor=_LOOKS[lane].colour, label=lane, **style) for lane in LANES]
    doing = "the whole run" if run.round is None else f"round {run.round}"
    legend(figure, handles=handles, ncols=3, title=f"{run.label}: {doing}", handlelength=1.4)
    return figure
