"""Draws the metric aimed at over something that grows while runs learn: a mean with a band over seeds."""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from slfac_sim.analysis.metric_axis import metric_axis
from slfac_sim.analysis.metric_scale import LEAST_ERROR, is_log_error, metric_name
from slfac_sim.analysis.studies.bands import Band, Bands
from slfac_sim.analysis.style import (
    FAINT,
    height_mm,
    legend,
    legend_columns,
    legend_label,
    legend_rows,
    look,
    stacked_canvas,
)
from slfac_sim.analysis.ticks import log_axis, plain_axis

PANEL_MM = 47.0
_LEGEND_CHARACTERS = 58
_FAR_APART = 100.0  # ends of lines: from here on short lines could not be seen on a linear axis
_TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)  # panels are lower than a run's own figure


def draw(data: Bands) -> Figure:
    """Return the figure."""
    every = [band for _, some in data.panels for band in some]
    named = {band.look: legend_label(textwrap.fill(band.label, _LEGEND_CHARACTERS)) for band in every}
    words = [legend_label(textwrap.fill(data.band, _LEGEND_CHARACTERS))] if data.band else []
    columns = legend_columns([*named.values(), *words])
    rows = legend_rows([*named.values(), *words], columns)
    figure, all_axes = stacked_canvas(len(data.panels), height_mm(PANEL_MM, len(named)), legend_rows=rows)
    scale, x_label = data.in_unit()
    log = any(_is_far_apart(some) for _, some in data.panels)
    top = max([*data.targets, *(float(band.high.max(initial=0.0)) for band in every)])
    for axes, (title, some) in zip(all_axes, data.panels, strict=True):
        metric_axis(axes, data.metric, top)
        if is_log_error(data.metric):
            axes.yaxis.set_major_locator(FixedLocator(_TICKS))
        axes.set_ylabel(metric_name(data.metric, " (log-error)"))
        for band in _span_x(axes, [replace(band, x=band.x / scale) for band in some], log):
            _draw_band(axes, band, is_log_error(data.metric))
        for target in data.targets:
            axes.axhline(target, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
        axes.set_title(title)
    all_axes[-1].set_xlabel(f"{x_label.removesuffix(')')}, log scale)" if log else x_label)
    handles: list[Any] = [
        Line2D([], [], label=label, **look(number).outlined) for number, label in sorted(named.items())
    ]
    extra = [Patch(facecolor=FAINT, alpha=0.6, label=text) for text in words]
    legend(figure, handles=[*handles, *extra], ncols=columns)
    return figure


def _span_x(axes: Axes, some: Sequence[Band], log: bool) -> Sequence[Band]:
    """Let the axis show all lines, from 0, or on a logarithmic scale.

    Returns the bands as they can be drawn on it: without their start at 0, on the latter.
    """
    ends = _ends(some)
    if not (log and ends):
        axes.set_xlim(0.0, max([0.0, *ends]) * 1.03 or 1.0)
        plain_axis(axes.xaxis)
        return some
    log_axis(axes.xaxis)
    axes.set_xlim(min(float(band.x[band.x > 0.0].min(initial=max(ends))) for band in some), 1.1 * max(ends))
    return [_after_start(band) for band in some]


def _ends(some: Sequence[Band]) -> list[float]:
    """Return where lines end, of those that need anything."""
    return [end for band in some if (end := float(band.x.max(initial=0.0))) > 0.0]


def _is_far_apart(some: Sequence[Band]) -> bool:
    ends = _ends(some)
    return bool(ends) and max(ends) > _FAR_APART * min(ends)


def _after_start(band: Band) -> Band:
    """Return `band` without what lies at 0, unless that is all of it."""
    on = band.x > 0.0
    if not on.any():
        return band
    return replace(band, **{name: getattr(band, name)[on] for name in ("x", "mean", "low", "high")})


def _draw_band(axes: Axes, band: Band, log_error: bool) -> None:
    most = 1 - LEAST_ERROR if log_error else np.inf
    if band.x.size == 1 and band.x[0] == 0.0:
        level = {**look(band.look).outlined, "marker": "", "linewidth": 0.9}
        axes.axhline(float(min(band.mean[0], most)), **level, zorder=1)
        if axes.get_xscale() == "log":
            return  # which has no place for 0
    axes.plot(
        band.x,
        np.minimum(band.mean, most),
        markevery=_marked(band.x.size),
        clip_on=False,
        **look(band.look).outlined,
    )
    low, high = np.clip(band.low, 0, most), np.clip(band.high, 0, most)
    axes.fill_between(band.x, low, high, color=look(band.look).colour, alpha=0.25, linewidth=0, zorder=1)


def _marked(size: int) -> list[int]:
    """Return which of the evaluations have a marker: at most nine, the first and the last among them."""
    return sorted({round(place) for place in np.linspace(0, size - 1, min(size, 9))})
