"""A heatmap over two axes of the study: times as fast as the baseline, or seconds to the target."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure

from slfac_sim.analysis.format import times
from slfac_sim.analysis.studies.heat import Heat, filled, table
from slfac_sim.analysis.studies.heat import heat as data
from slfac_sim.analysis.style import ink_on, stacked_canvas, text_pt
from slfac_sim.foundation.arrays import Floats

_ROW_MM, _FRAME_MM = 6.0, 20.0
_MOST_WITH_TEXT = 12  # columns that leave room for a number in each cell

__all__ = ["data", "draw", "table"]


def draw(heat: Heat) -> Figure:
    """Return the figure; numbers in the cells make it readable in grey."""
    panel_mm = _FRAME_MM + _ROW_MM * len(heat.rows)
    figure, all_axes = stacked_canvas(len(heat.panels), panel_mm)
    norm = _norm(heat)
    for axes, (title, middle, low, high) in zip(all_axes, heat.panels, strict=True):
        shown = filled(middle, low, high)
        levels = np.log2(shown) if heat.is_ratio else shown
        image = axes.imshow(
            levels,
            cmap="PuOr_r" if heat.is_ratio else "cividis_r",
            norm=norm,
            aspect="auto",
            origin="lower",
        )
        _frame(axes, heat, title)
        if len(heat.columns) <= _MOST_WITH_TEXT:
            _write(axes, shown, middle, low, high, image.to_rgba(np.ma.masked_invalid(levels)))
    all_axes[-1].set_xlabel(heat.x_label)
    return figure


def _norm(heat: Heat) -> Normalize:
    shown = np.concatenate([filled(*grids).ravel() for _, *grids in heat.panels])
    shown = shown[np.isfinite(shown) & (shown > 0)]
    if heat.is_ratio:
        most = max(float(np.abs(np.log2(shown)).max(initial=0.0)), 0.5)
        return TwoSlopeNorm(0.0, -most, most)
    low, high = (float(shown.min()), float(shown.max())) if shown.size else (1.0, 1.0)
    return LogNorm(low, max(high, low * 1.01))


def _frame(axes: Axes, heat: Heat, title: str) -> None:
    axes.set_title(title)
    step = -(-len(heat.columns) // _MOST_WITH_TEXT)
    axes.set_xticks(range(0, len(heat.columns), step), heat.columns[::step])
    axes.set_yticks(range(len(heat.rows)), heat.rows)
    axes.set_ylabel(heat.y_label)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write(axes: Axes, shown: Floats, middle: Floats, low: Floats, high: Floats, colours: Floats) -> None:
    for i, j in np.ndindex(shown.shape):
        if not np.isfinite(shown[i, j]):
            text = "no run"
        elif np.isfinite(middle[i, j]):
            text = times(float(middle[i, j]))
        elif np.isfinite(low[i, j]):
            text = f"> {times(float(low[i, j]), up=False)}"
        else:
            text = f"< {times(float(high[i, j]), up=True)}"
        axes.text(
            j,
            i,
            text,
            ha="center",
            va="center",
            fontsize=text_pt(5.8),
            color=ink_on(colours[i, j]),
        )
