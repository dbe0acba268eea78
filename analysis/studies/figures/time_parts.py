"""What the time goes into: shares of its parts against the x axis, a panel (or a bar) for each line."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.ticker import FixedLocator, FuncFormatter

from slfac_sim.analysis.bars import stack
from slfac_sim.analysis.format import share
from slfac_sim.analysis.studies.time_parts import TimeParts, table
from slfac_sim.analysis.studies.time_parts import time_parts as data
from slfac_sim.analysis.style import legend, name_ticks, names_mm, page, part_fill, stacked_canvas, text_pt
from slfac_sim.foundation.arrays import Floats

PANEL_MM = 44.0
_COLUMNS_FROM_MM = 88.0  # a narrower page has room for two columns of the legend
_MANY_BARS = 12  # beyond these, the seconds above them are small
_TICK_CHARACTERS = 18
_SMALL_PRINT_FROM = 10

__all__ = ["data", "draw", "table"]


def draw(times: TimeParts) -> Figure:
    """Return the figure: shares of the whole, with the whole in seconds above each bar."""
    shares = [np.nan_to_num(seconds / seconds.sum(axis=0)) for _, seconds in times.panels]
    used = [i for i in range(len(times.parts)) if max(part[i].max(initial=0.0) for part in shares) > 5e-4]
    columns = 3 if page().width_mm >= _COLUMNS_FROM_MM else 2
    panel_mm, rows = PANEL_MM + names_mm(times.ticks), -(-len(used) // columns)
    figure, all_axes = stacked_canvas(len(times.panels), panel_mm, legend_rows=rows)
    for axes, (title, seconds) in zip(all_axes, times.panels, strict=True):
        layers = _bars(axes, seconds, {times.parts[i]: i for i in used})
        axes.set_title(title, pad=11.0)
        name_ticks(axes, times.ticks, _TICK_CHARACTERS)
        axes.tick_params(axis="x", labelsize=text_pt(7.0 if len(times.ticks) < _SMALL_PRINT_FROM else 6.0))
        axes.set_xlim(-0.6, len(times.ticks) - 0.4)
        axes.set_ylim(0.0, 1.0)
        axes.yaxis.set_major_locator(FixedLocator([0.0, 0.25, 0.5, 0.75, 1.0]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: share(value)))
        axes.set_ylabel("share of the time\n(above: seconds)")
        axes.tick_params(axis="x", length=0)
    all_axes[-1].set_xlabel(times.x_label)
    legend(figure, handles=layers, ncols=columns, columnspacing=1.0, handlelength=1.6)
    return figure


def _bars(axes: Axes, seconds: Floats, used: Mapping[str, int]) -> list[PathPatch]:
    whole = seconds.sum(axis=0)
    drawn = ((part, part_fill(part), np.nan_to_num(seconds[i] / whole)) for part, i in used.items())
    layers, _ = stack(axes, range(whole.size), drawn, width=0.78)
    for place, total in enumerate(whole):
        if np.isfinite(total):
            axes.annotate(
                f"{total:.3g}" if total < 99.5 else f"{total:.0f}",
                (place, 1.0),
                xytext=(0, 2),
                textcoords="offset points",
                ha="center",
                fontsize=text_pt(5.6 if len(whole) <= _MANY_BARS else 4.4),
                annotation_clip=False,
            )
    return layers
