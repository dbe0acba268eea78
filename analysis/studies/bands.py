"""The metric aimed at, over something that grows while runs learn: a mean with a band over seeds.

At each place the mean is over *all* seeds: the line ends where the shortest of them ends, so that it is never
a mean of survivors. Between evaluations a run's curve is interpolated linearly. A line that needs
nothing of it (no byte without a network) is its last accuracy, from edge to edge.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from slfac_sim.analysis.format import count, unit_of
from slfac_sim.analysis.metric_axis import LEAST_ERROR, is_log_error, metric_axis, metric_name
from slfac_sim.analysis.statistics import interval_of
from slfac_sim.analysis.studies.answers import main_target
from slfac_sim.analysis.studies.study import StudyPoints
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
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.targets import ACCURACY

PANEL_MM = 47.0
_FEWEST_FOR_T = 5  # with 3 seeds a t interval is 2.5 standard deviations to either side
_LEGEND_CHARACTERS = 58
_FAR_APART = 4.0  # ends of lines: from here on short lines could not be told apart on a linear axis
_TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)  # panels are lower than a run's own figure


@dataclass(frozen=True)
class Band:
    """One line: the `mean` over seeds at each `x`, the band `low` to `high`, and how it is drawn."""

    label: str
    look: int
    x: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Bands:
    """What is drawn: `panels` (title, bands), each with an x axis of its own; `band` says what a band is.

    The unit of `x_label` is `scale` of that of the bands, which is SI. In the table x is called
    `column[0]`, in a unit of `column[1]`. `targets` are those of the `metric`.
    """

    x_label: str
    scale: float
    column: tuple[str, float]
    panels: Sequence[tuple[str, Sequence[Band]]]
    targets: Sequence[float]
    band: str
    metric: str = ACCURACY


def bands(study: StudyPoints, over: str, unit: str, label: str, column: tuple[str, float]) -> Bands | None:
    """Return the curves over `over`, whose SI unit is `unit`, at the lowest and highest x of the first panel.

    In the table x is called `column[0]`, in a unit of `column[1]`. None where no point has any evaluation.
    """
    panel, target = study.panels[0], main_target(study)
    metric = ACCURACY if target is None else target.metric
    ends = list(dict.fromkeys((study.xs[0], study.xs[-1])))
    where = study.panel_label(panel)
    panels = [
        (", ".join(filter(None, (study.x_label(x), where))), _lines(study, panel, x, (over, metric)))
        for x in ends
    ]
    if len(panels) == 2 and _equal(panels[0][1], panels[1][1]):
        panels = [("", panels[0][1])]
    panels = [(title, lines) for title, lines in panels if lines]
    if not panels:
        return None
    last = [float(band.x.max()) for _, lines in panels for band in lines]
    scale, unit = unit_of([min((x for x in last if x > 0.0), default=0.0)], unit)
    targets = [each.value for each in study.targets if each.metric == metric]
    return Bands(f"{label} ({unit})", scale, column, panels, targets, _band_words(study), metric)


def table(data: Bands) -> list[dict[str, Any]]:
    """Return one row for each place of each line."""
    x_name, scale = data.column
    return [
        {
            "panel": title,
            "line": band.label,
            x_name: x / scale,
            f"{data.metric}_mean": mean,
            f"{data.metric}_low": low,
            f"{data.metric}_high": high,
        }
        for title, some in data.panels
        for band in some
        for x, mean, low, high in zip(band.x, band.mean, band.low, band.high, strict=True)
    ]


def draw(data: Bands) -> Figure:
    """Return the figure."""
    every = [band for _, some in data.panels for band in some]
    named = {band.look: legend_label(textwrap.fill(band.label, _LEGEND_CHARACTERS)) for band in every}
    columns = legend_columns(named.values())
    rows = legend_rows(named.values(), columns) + bool(data.band)
    figure, all_axes = stacked_canvas(len(data.panels), height_mm(PANEL_MM, len(named)), legend_rows=rows)
    top = max([*data.targets, *(float(band.high.max(initial=0.0)) for band in every)])
    for axes, (title, some) in zip(all_axes, data.panels, strict=True):
        metric_axis(axes, data.metric, top)
        if is_log_error(data.metric):
            axes.yaxis.set_major_locator(FixedLocator(_TICKS))
        axes.set_ylabel(metric_name(data.metric, " (log-error)"))
        for band in _span_x(axes, [replace(band, x=band.x / data.scale) for band in some]):
            _draw_band(axes, band, is_log_error(data.metric))
        for target in data.targets:
            axes.axhline(target, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
        axes.set_title(title)
    all_axes[-1].set_xlabel(data.x_label)
    handles: list[Any] = [
        Line2D([], [], label=label, **look(number).outlined) for number, label in sorted(named.items())
    ]
    extra = [Patch(facecolor=FAINT, alpha=0.6, label=data.band)] if data.band else []
    legend(figure, handles=[*handles, *extra], ncols=columns)
    return figure


def _span_x(axes: Axes, some: Sequence[Band]) -> Sequence[Band]:
    """Let the axis show all lines, from 0 or, if their ends lie far apart, on a logarithmic scale.

    Returns the bands as they can be drawn on it: without their start at 0, on the latter.
    """
    ends = [end for band in some if (end := float(band.x.max(initial=0.0))) > 0.0]
    if not ends or max(ends) <= _FAR_APART * min(ends):
        axes.set_xlim(0.0, max([0.0, *ends]) * 1.03 or 1.0)
        plain_axis(axes.xaxis)
        return some
    log_axis(axes.xaxis)
    axes.set_xlim(min(float(band.x[band.x > 0.0].min(initial=max(ends))) for band in some), 1.1 * max(ends))
    return [_after_start(band) for band in some]


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
        markevery=max(1, band.x.size // 8),
        clip_on=False,
        **look(band.look).outlined,
    )
    low, high = np.clip(band.low, 0, most), np.clip(band.high, 0, most)
    axes.fill_between(band.x, low, high, color=look(band.look).colour, alpha=0.25, linewidth=0, zorder=1)


def _lines(study: StudyPoints, panel: Mapping[str, str], x: str, columns: tuple[str, str]) -> list[Band]:
    lines = []
    for index, text in enumerate(study.lines):
        points = study.at(panel, text, x).points
        curves = [study.columns["curve"][i] for i in points]
        curves = [curve for curve in curves if all(curve.get(name) for name in columns)]
        if curves:
            lines.append(_band(study.line_label(text), index, curves, columns))
    return lines


def _band(label: str, index: int, curves: Sequence[Mapping[str, Any]], columns: tuple[str, str]) -> Band:
    over, metric = columns
    places = [np.asarray(curve[over], dtype=np.float64) for curve in curves]
    last = min(place[-1] for place in places)
    if max(place[-1] for place in places) == 0.0:  # it needs nothing of it
        places, curves = [place[-1:] for place in places], [{metric: c[metric][-1:]} for c in curves]
    # the places of every seed's evaluations: between them all curves are straight, so nothing is lost
    x = np.unique(np.concatenate(places))
    x = x[x <= last]
    values = np.array(
        [
            np.interp(x, place, np.asarray(curve[metric], np.float64))
            for place, curve in zip(places, curves, strict=True)
        ]
    )
    if len(curves) < _FEWEST_FOR_T:
        return Band(label, index, x, values.mean(axis=0), values.min(axis=0), values.max(axis=0))
    intervals = [interval_of(metric, column) for column in values.T]
    low, high = (np.array([getattr(interval, end) for interval in intervals]) for end in ("low", "high"))
    return Band(label, index, x, values.mean(axis=0), low, high)


def _band_words(study: StudyPoints) -> str:
    most = max(len(study.at(study.panels[0], line, x).points) for line in study.lines for x in study.xs)
    what = "smallest to largest of" if most < _FEWEST_FOR_T else "95 % t interval over"
    return f"{what} {count(most, 'seed')}" if most > 1 else ""


def _equal(bands: Sequence[Band], others: Sequence[Band]) -> bool:
    return len(bands) == len(others) and all(
        np.array_equal(a.x, b.x) and np.array_equal(a.mean, b.mean)
        for a, b in zip(bands, others, strict=True)
    )
