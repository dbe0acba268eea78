"""How busy the air was over time, in each direction of each access network; it reads no file.

Shown is the part of each bin of time in which at least one transfer was on the air in the direction. A
direction that has half of the medium's time can so be busy to 100 %.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.air import DIRECTIONS
from slfac_sim.analysis.air_use import AirUse, lane_name
from slfac_sim.analysis.air_use import air_use as data
from slfac_sim.analysis.format import share
from slfac_sim.analysis.style import INK, WAYS, head, stacked_canvas, text_pt
from slfac_sim.analysis.ticks import percents

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_MOST = 4  # access networks that are drawn, the busiest; the table has all


def table(series: Sequence[AirUse]) -> Iterator[dict[str, Any]]:
    """Yield one row for each bin."""
    for run in series:
        for place, from_s in enumerate(run.edges_s[:-1]):
            parts = {f"busy {lane_name(lane)}": float(part[place]) for lane, part in run.busy.items()}
            yield {"run": run.label, "from_s": float(from_s), "to_s": float(run.edges_s[place + 1]), **parts}


def draw(series: Sequence[AirUse]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    accesses = dict.fromkeys(access for access, _ in run.mean)
    by_use = sorted(accesses, key=lambda access: -max(run.mean[access, way] for way in DIRECTIONS))
    lanes = [lane for lane in run.mean if lane[0] in by_use[:_MOST]]
    figure, panels = stacked_canvas(len(lanes), 30.0 if len(accesses) == 1 else 22.0, legend_rows=1)
    for lane, axes in zip(lanes, panels, strict=True):
        axes.stairs(run.busy[lane], run.edges_s, fill=True, color=WAYS[lane[1]].colour, alpha=0.45)
        axes.stairs(run.busy[lane], run.edges_s, color=INK, linewidth=0.5)
        axes.set_title(f"{lane_name(lane)}: busy for {share(run.mean[lane], 3)} of the run")
        axes.set_ylim(0.0, 1.0)
        axes.set_xlim(0.0, run.edges_s[-1])
        axes.tick_params(labelbottom=axes is panels[-1])
        percents(axes.yaxis)
    panels[-1].set_xlabel("simulated time (s)")
    figure.supylabel("busy part of the time", fontsize=text_pt(7.5))
    more = "" if len(accesses) <= _MOST else f": {_MOST} of {len(accesses)} access networks, the busiest"
    head(figure, run.label + more)
    return figure
