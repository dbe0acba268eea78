"""The curve behind an inverse question: a measure against one setting, both logarithmic.

It sees arrays and labels only; what they measure it does not know.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slfac_sim.analysis.style import FAINT, INK, canvas, legend, legend_label, look
from slfac_sim.analysis.ticks import log_axis
from slfac_sim.foundation.arrays import Floats


@dataclass(frozen=True)
class Line:
    """One curve: `x` ascending and `y` [points], infinite where there is nothing to show;
    zeros are left out.

    Curves with equal `label` look alike and share one entry of the legend; an empty label has none.
    """

    label: str
    x: Floats
    y: Floats


def draw(
    lines: Sequence[Line], x_label: str, y_label: str, marks: Sequence[float] = (), bound: float | None = None
) -> Figure:
    """Return the figure: the `lines`, a vertical line at each of `marks`, and a horizontal one at `bound`."""
    labels = list(dict.fromkeys(line.label for line in lines))
    figure, axes = canvas(legend_rows=sum(bool(label) for label in labels))
    shown = set[str]()
    for line in lines:
        _draw_line(axes, line, labels.index(line.label), named=line.label not in shown)
        shown.add(line.label)
    if bound is not None:
        axes.axhline(bound, color=INK, linewidth=0.7, linestyle=(0, (4, 2)), zorder=0)
    for mark in marks:
        axes.axvline(mark, color=FAINT, linewidth=0.8, zorder=0)
    _scale(axes, lines, bound)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if any(labels):
        legend(figure)
    return figure


def _draw_line(axes: Axes, line: Line, index: int, named: bool) -> None:
    seen = np.isfinite(line.y) & (line.y > 0.0)
    axes.plot(
        line.x[seen],
        line.y[seen],
        label=legend_label(line.label) if named and line.label else "_",
        markersize=2.6,
        **{**look(index).outlined, "markeredgewidth": 0.3},
    )


def _scale(axes: Axes, lines: Sequence[Line], bound: float | None) -> None:
    heights = np.concatenate([line.y[np.isfinite(line.y)] for line in lines] + [[bound or np.nan]])
    heights = heights[np.isfinite(heights) & (heights > 0)]
    places = np.concatenate([line.x for line in lines])
    axes.set_xlim(float(places.min()), float(places.max()))  # also where nothing was reached
    log_axis(axes.xaxis)
    if heights.size:
        log_axis(axes.yaxis)
        room = max(float(heights.max() / heights.min()) ** 0.05, 1.02)
        axes.set_ylim(float(heights.min()) / room, float(heights.max()) * room)
