"""Something against the x axis of a study, one line per variant, with intervals and censoring marked.

It does not know whether seconds or ratios. A value known only beyond a bound is an arrow at the bound, with
the bound as text (``> 512``); a median that stands for a mean, because a run is censored, is an open marker.
"""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from slfac_sim.analysis.format import amount
from slfac_sim.analysis.laying_out import note
from slfac_sim.analysis.studies.axes import DECADE
from slfac_sim.analysis.studies.estimates import Against, Line
from slfac_sim.analysis.style import (
    FAINT,
    INK,
    Look,
    height_mm,
    legend,
    legend_columns,
    legend_label,
    legend_rows,
    look,
    name_ticks,
    names_mm,
    stacked_canvas,
    text_pt,
)
from slfac_sim.analysis.ticks import log_axis, plain_axis
from slfac_sim.foundation.arrays import Bools, Floats

_LEGEND_CHARACTERS, _TICK_CHARACTERS = 58, 18
_FAR = 1000.0  # beyond the values: an interval of two seeds may span ten orders
_DENSE = 24  # points, beyond which intervals are a band and markers are sparse


def draw(data: Against) -> Figure:
    """Return the figure; y is logarithmic where its values, or an interval, span more than a decade."""
    lines = [line for _, some in data.panels for line in some]
    handles = list(_handles(data, lines))
    labels = [str(handle.get_label()) for handle in handles] or [""]
    columns = legend_columns(labels)
    rows = legend_rows(labels, columns)
    tall_mm = height_mm(data.panel_mm, max(len(some) for _, some in data.panels))
    figure, all_axes = stacked_canvas(len(data.panels), tall_mm + names_mm(data.ticks or ()), rows)
    bottom, top, log = _limits(lines, data)
    for place, (axes, (title, some)) in enumerate(zip(all_axes, data.panels, strict=True)):
        _scales(axes, data, log, (bottom, top))
        for line in some:
            _draw_line(axes, line)
        if data.level is not None:
            axes.axhline(data.level[0], color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        for at, text in data.marks[place] if data.marks else ():
            _mark(axes, at, text)
        if title:
            axes.set_title(title)
        axes.set_ylabel(data.y_label)
    all_axes[-1].set_xlabel(data.x_label)
    legend(figure, handles=handles, ncols=columns)
    return figure


def _draw_line(axes: Axes, line: Line) -> None:
    style = look(line.look)
    known = np.isfinite(line.middle)
    axes.plot(line.x[known], line.middle[known], color=style.colour, linestyle=style.dashes, zorder=2)
    barred = np.isfinite(line.low) & np.isfinite(line.high)
    if line.x.size > _DENSE:
        axes.fill_between(line.x, line.low, line.high, barred, color=style.colour, alpha=0.25, linewidth=0)
        known, barred = known & _some(line.x.size), np.zeros_like(barred)
    ends = np.array([line.low[barred], line.high[barred]])
    axes.vlines(line.x[barred], *ends, color=style.colour, linewidth=1.0, zorder=2)
    for end in ends:
        axes.plot(line.x[barred], end, "_", color=style.colour, markersize=4.5, markeredgewidth=1.0, zorder=2)
    for chosen, face in ((known & ~line.is_median, style.colour), (known & line.is_median, "white")):
        if chosen.any():  # an empty unclipped line has a box at infinity, which breaks the layout
            axes.plot(line.x[chosen], line.middle[chosen], **_marker(style, face), zorder=3)
    _arrows(axes, line, line.beyond, up=True)
    _arrows(axes, line, line.within, up=False)


def _some(size: int) -> Bools:
    """Return which of many points have a marker."""
    chosen = np.zeros(size, dtype=np.bool_)
    chosen[:: -(-size // _DENSE)] = True
    return chosen


def _marker(style: Look, face: str) -> dict[str, Any]:
    edge = "white" if face != "white" else style.colour
    return {
        "color": style.colour,
        "linestyle": "none",
        "marker": style.marker,
        "markersize": 4.2,
        "markerfacecolor": face,
        "markeredgecolor": edge,
        "markeredgewidth": 0.9 if face == "white" else 0.4,
        "clip_on": False,
    }


def _arrows(axes: Axes, line: Line, bounds: Floats, up: bool) -> None:
    style = look(line.look)
    for i, (x, bound) in enumerate(zip(line.x, bounds, strict=True)):
        if not np.isfinite(bound):
            continue
        inside = 1 if i == 0 or i < line.x.size - 1 else -1  # the text stays on the paper
        axes.plot(x, bound, **_marker(style, "white"), zorder=3)
        axes.annotate(
            "",
            (x, bound),
            xytext=(0, 13 if up else -13),
            textcoords="offset points",
            arrowprops={"arrowstyle": "<|-", "color": style.colour, "linewidth": 1.0, "shrinkB": 3.0},
        )
        note(
            axes,
            f"{'>' if up else '<'} {amount(float(bound), up=not up)}",
            (float(x), float(bound)),
            (5 * inside, 8 if up else -8),
            horizontalalignment="left" if inside > 0 else "right",
            verticalalignment="center",
            fontsize=text_pt(6.5),
        )


def _mark(axes: Axes, at: float, text: str) -> None:
    axes.axvline(at, color=INK, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
    style: dict[str, Any] = {"horizontalalignment": "right", "verticalalignment": "top", "fontsize": 6.5}
    note(axes, text, (at, 1.0), (-3, -1), xycoords=("data", "axes fraction"), **style)


def _limits(lines: Sequence[Line], data: Against) -> tuple[float, float, bool]:
    """Return the ends of the y axis, and whether it is logarithmic.

    It is where the values, or a single interval, span more than a decade. The axis shows an interval up to
    `_FAR` beyond all values; what is further is cut off.
    """
    seen = np.concatenate([np.concatenate([line.middle, line.beyond, line.within]) for line in lines])
    bars = np.concatenate([np.concatenate([line.low, line.high]) for line in lines])
    seen = seen[np.isfinite(seen)]
    seen = np.append(seen, data.level[0]) if data.level is not None else seen
    if seen.size == 0:
        return 0.0, 1.0, False
    low, high = float(seen.min()), float(seen.max())
    log = low > 0 and (data.y_log or high / low > DECADE or any(map(_is_wide, lines)))
    bars = bars[np.isfinite(bars)]
    most, high = _FAR * high, max([high, *bars])
    highest_bound = max([0.0, *(bound for line in lines for bound in line.beyond[np.isfinite(line.beyond)])])
    if not log:
        return min([0.0, *bars]), max(1.08 * high, 1.45 * highest_bound) or 1.0, False
    low, high = max(low / _FAR, min([low, *bars[bars > 0]])), min(most, high)
    span = (high / low) ** 0.08 * 1.1
    room = (high / low) ** 0.4 * 1.1  # for an arrow and its text
    return low / span, max(high * span, highest_bound * room), True


def _is_wide(line: Line) -> bool:
    """Say whether an interval of the line spans more than a decade."""
    return bool(np.any((line.low > 0) & (line.high > DECADE * line.low)))


def _scales(axes: Axes, data: Against, log: bool, ends: tuple[float, float]) -> None:
    if data.ticks is not None:
        name_ticks(axes, data.ticks, _TICK_CHARACTERS)
        axes.set_xlim(-0.5, len(data.ticks) - 0.5)
    elif data.x_log:
        log_axis(axes.xaxis)
    if log:
        log_axis(axes.yaxis)
    else:
        plain_axis(axes.yaxis)
    axes.set_ylim(*ends)


def _handles(data: Against, lines: Sequence[Line]) -> Iterator[Line2D | Patch]:
    named = {line.label: line for line in lines}
    for line in named.values() if not named.keys() <= set(data.ticks or ()) else ():
        style = look(line.look)
        words = legend_label(textwrap.fill(line.label, _LEGEND_CHARACTERS))
        options = {**_marker(style, style.colour), "linestyle": style.dashes}
        yield Line2D([], [], label=words, **options)
    if data.level is not None:
        yield Line2D([], [], color=INK, linewidth=0.8, linestyle=(0, (4, 2)), label=data.level[1])
    if any(np.isfinite(line.low).any() for line in lines):
        dense = max(line.x.size for line in lines) > _DENSE
        yield Patch(color=FAINT, label=data.interval) if dense else _sign("|", 8, 1.0, data.interval)
    if any((line.is_median & np.isfinite(line.middle)).any() for line in lines):
        yield Line2D([], [], label="median: a seed did not reach the target", **_marker(_INK_LOOK, "white"))
    if any(np.isfinite(line.beyond).any() or np.isfinite(line.within).any() for line in lines):
        yield _sign("^", 4, 0.2, "only a bound is known: seeds did not reach the target")
    left_out = sum(int(line.left_out.sum()) for line in lines)
    if left_out:
        yield _sign("", 6, 0.2, f"{left_out} left out: the untrained model meets the target")


def _sign(marker: str, size: float, edge: float, words: str) -> Line2D:
    look_of: dict[str, Any] = {"color": INK, "linestyle": "none", "marker": marker, "markersize": size}
    return Line2D([], [], markeredgewidth=edge, label=words, **look_of)


_INK_LOOK = Look(INK, "o", "none")
