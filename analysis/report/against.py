"""Charts of estimates along the x axis of a study: means with intervals, medians hollow, bounds as arrows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from slfac_sim.analysis.format import amount, count
from slfac_sim.analysis.report.blocks import Chart
from slfac_sim.analysis.report.lines import level, line, series_colour
from slfac_sim.analysis.report.scales import log_ticks, mark, setting_axis
from slfac_sim.analysis.report.study_rows import numbers_of
from slfac_sim.analysis.studies.axes import DECADE, Axis
from slfac_sim.analysis.studies.estimates import Against, Line, table

_CLOSE = 1.5  # times the least: ratios that are closer to one another need no logarithm
_ASIDE = {
    "top right": "bottom right",
    "top center": "middle right",
    "bottom center": "middle left",
    "triangle-up-open": "triangle-right-open",
    "triangle-down-open": "triangle-left-open",
}
_FEW = 4  # lines, up to which a summary tells each
_DENSE = 24  # points, beyond which intervals are a band and marks are left out


def charts(title: str, data: Against, axis: Axis | None, unit: str) -> Iterator[Chart]:
    """Yield a chart for each panel of `data`, which lies along `axis`; values are in `unit`."""
    for place, (where, lines) in enumerate(data.panels):
        traces = [*_level(data, lines), *(trace for each in lines for trace in _traces(each, unit))]
        named = f"{title}, {where}" if where else title
        rows = [row for row in table(data) if row["panel"] == where]
        layout = {
            "xaxis": setting_axis(axis, data.ticks),
            "yaxis": _vertical(data),
            "shapes": [],
            "annotations": [],
        }
        for number, (at, text) in enumerate(data.marks[place] if data.marks else ()):
            _add_mark(layout, at, text, number)
        if data.ticks is not None:  # names have room beside one another only down the side
            traces, layout = [turned(trace) for trace in traces], _turned_layout(layout, axis is not None)
        summary = _summary(data, lines, axis, unit)
        yield Chart(named, summary, traces, layout, numbers_of(named, rows), _height_px(data, lines, axis))


def turned(trace: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trace with its x and y exchanged: intervals lie, arrows and their texts point aside."""
    flat = {**trace, "x": trace["y"], "y": trace["x"]}
    if "error_y" in flat:
        flat["error_x"] = flat.pop("error_y")
    if "textposition" in flat:
        flat["textposition"] = _ASIDE[flat["textposition"]]
    if trace["mode"] == "markers+text":  # a bound
        flat["marker"] = {**flat["marker"], "symbol": _ASIDE[flat["marker"]["symbol"]]}
    return flat


def _turned_layout(layout: Mapping[str, Any], has_lines: bool) -> dict[str, Any]:
    """Return the layout for `turned` traces: the first name on top; without lines names need no legend."""
    names = {**layout["xaxis"], "range": layout["xaxis"]["range"][::-1]}
    return {**layout, "xaxis": layout["yaxis"], "yaxis": names, "showlegend": has_lines}


def _height_px(data: Against, lines: Sequence[Line], axis: Axis | None) -> int:
    rows = len(data.ticks or ())
    return max(200, 110 + rows * max(34, 14 * len(lines) * (axis is not None))) if rows else 360


def _traces(data: Line, unit: str) -> Iterator[dict[str, Any]]:
    known = np.isfinite(data.middle)
    dense = data.x.size > _DENSE
    if dense:
        yield from _band(data)
    said = "%{customdata}"
    trace = line(data.label, data.x[known].tolist(), data.middle[known].tolist(), data.look, said)
    trace["customdata"] = [_words(data, int(i), unit) for i in np.flatnonzero(known)]
    trace["legendgroup"] = data.label
    trace["mode"] = "lines" if dense else "lines+markers"
    shape = trace["marker"]["symbol"]
    trace["marker"]["symbol"] = [
        f"{shape}-open" if data.is_median[i] else shape for i in np.flatnonzero(known)
    ]
    if not dense and np.isfinite(data.low[known]).any():
        trace["error_y"] = _bars(data)
    yield trace
    yield from _bounds(data, unit)


def _level(data: Against, lines: Sequence[Line]) -> Iterator[dict[str, Any]]:
    if data.level is not None:
        places = np.concatenate([each.x for each in lines])
        named = data.ticks is not None
        ends = [float(places.min()) - 0.5 * named, float(places.max()) + 0.5 * named]
        yield level(data.level[1], ends, data.level[0])


def _bars(data: Line) -> dict[str, Any]:
    known = np.isfinite(data.middle)
    middle = data.middle[known]
    up, down = (np.nan_to_num(np.abs(end[known] - middle)).tolist() for end in (data.high, data.low))
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.5, "width": 4}


def _band(data: Line) -> Iterator[dict[str, Any]]:
    barred = np.isfinite(data.low) & np.isfinite(data.high)
    if not barred.any():
        return
    x = np.concatenate([data.x[barred], data.x[barred][::-1]])
    y = np.concatenate([data.low[barred], data.high[barred][::-1]])
    yield outline(data.label, x.tolist(), y.tolist(), data.look)


def outline(label: str, x: Sequence[float], y: Sequence[float], look: int) -> dict[str, Any]:
    """Return what is filled of a band: its outline [points], in the pale colour of the series `look`."""
    return {
        "type": "scatter",
        "mode": "none",
        "x": list(x),
        "y": list(y),
        "fill": "toself",
        "fillcolor": f"color-mix(in srgb, {series_colour(look)} 25%, transparent)",
        "legendgroup": label,
        "showlegend": False,
        "hoverinfo": "skip",
        "name": label,
    }


def _bounds(data: Line, unit: str) -> Iterator[dict[str, Any]]:
    """Yield an arrow for each bound: what is known is that the value lies beyond, or below."""
    for ends, sign, symbol in (
        (data.beyond, ">", "triangle-up-open"),
        (data.within, "<", "triangle-down-open"),
    ):
        places = np.flatnonzero(np.isfinite(ends))
        if not places.size:
            continue
        trace = line(data.label, data.x[places].tolist(), ends[places].tolist(), data.look, "%{customdata}")
        texts = [f"{sign} {amount(float(ends[i]), up=sign == '<')}" for i in places]
        trace |= {
            "mode": "markers+text",
            "text": texts,
            "textposition": "top center" if sign == ">" else "bottom center",
        }
        trace |= {"customdata": [f"{text} {unit}".strip() for text in texts], "legendgroup": data.label}
        trace["marker"] = {"symbol": symbol, "size": 9, "color": series_colour(data.look)}
        yield trace | {"showlegend": not np.isfinite(data.middle).any()}


def _words(data: Line, i: int, unit: str) -> str:
    what = "median " if data.is_median[i] else ""
    ends = (
        f" [{amount(float(data.low[i]))}, {amount(float(data.high[i]))}]" if np.isfinite(data.low[i]) else ""
    )
    return f"{what}{amount(float(data.middle[i]))}{ends} {unit}".strip()


def _vertical(data: Against) -> dict[str, Any]:
    lines = [each for _, some in data.panels for each in some]
    ends = [end for each in lines for end in (each.middle, each.low, each.high, each.beyond, each.within)]
    seen = np.concatenate(ends)
    seen = seen[np.isfinite(seen)]
    title = {"title": {"text": data.y_label}}
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    if low > 0 and high > (_CLOSE if data.y_log else DECADE) * low:
        return {**title, "type": "log", **log_ticks(low, high)}
    return title if data.y_log else {**title, "rangemode": "tozero"}


def _add_mark(layout: dict[str, Any], at: float, text: str, number: int) -> None:
    """Add a level line upright, and its text on the side that has room."""
    layout["shapes"].append(mark(at))
    x = float(np.log10(at)) if layout["xaxis"].get("type") == "log" else at
    late = x > sum(layout["xaxis"]["range"]) / 2
    place = {
        "yref": "paper",
        "y": 1 - 0.07 * number,
        "x": x,
        "xanchor": "right" if late else "left",
        "yanchor": "top",
    }
    layout["annotations"].append({**place, "text": text, "showarrow": False})


def _summary(data: Against, lines: Sequence[Line], axis: Axis | None, unit: str) -> str:
    """Say what there is to see at both ends, what the bars are, and which values are medians or bounds."""
    known = [each for each in lines if np.isfinite(each.middle).any()]
    if axis is None and len(known) > _FEW:
        known = sorted(known, key=lambda each: float(each.middle[0]))
        told = [f"Least: {_ends(known[0], axis, unit)}", f"Most: {_ends(known[-1], axis, unit)}"]
    else:
        told = [_ends(each, axis, unit) for each in known]
    medians = sum(int((each.is_median & np.isfinite(each.middle)).sum()) for each in lines)
    bounds = sum(int(np.isfinite(end).sum()) for each in lines for end in (each.beyond, each.within))
    untrained = sum(int(each.left_out.sum()) for each in lines)
    if any(np.isfinite(each.low).any() for each in lines):
        told.append(f"Bars: {data.interval}.")
    if medians:
        told.append(f"Hollow: {count(medians, 'median')}, for a seed did not reach the target.")
    if bounds:
        told.append(
            f"Arrows: of {count(bounds, 'value')} only a bound is known, for seeds did not reach the target."
        )
    if untrained:
        told.append(f"{untrained} left out, whose untrained model meets the target.")
    return " ".join(told)


def _ends(each: Line, axis: Axis | None, unit: str) -> str:
    """Say the first and the last value that is known, and where along the axis."""
    known = np.flatnonzero(np.isfinite(each.middle))
    ends = [int(i) for i in dict.fromkeys((known[0], known[-1]))]
    if axis is None:
        return f"{each.label}: {amount(float(each.middle[ends[0]]))} {unit}."
    told = [f"{amount(float(each.middle[i]))} at {axis.shown(axis.texts[i])}" for i in ends]
    return f"{each.label}: {', '.join(told)}."
