"""Axes of charts: metrics on the scale of our figures, quantities on logarithms, names in their order."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slfac_sim.analysis.format import measured, percent, three_digits
from slfac_sim.analysis.metric_scale import LEAST_ERROR, TICKS, height, is_log_error, metric_name
from slfac_sim.analysis.studies.axes import DECADE, Axis
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.metrics import METRICS

_MOST_TICKS = 8
_STEPS: Sequence[tuple[float, Sequence[float]]] = (
    (2.0, (1, 1.2, 1.5, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9)),
    (DECADE, (1, 1.5, 2, 3, 4, 5, 7)),
    (1e3, (1, 2, 5)),
    (math.inf, (1,)),
)
"""Ticks of a decade, by how many times the largest value is the least."""
_ROOM = 0.08  # of a decade of the error, above the highest curve


def metric_axis(metric: str, top: float) -> dict[str, Any]:
    """Return the vertical axis of `metric`, from 0 to just above `top`; its values are `placed`."""
    name = metric_name(metric, " (log-error)")
    if not is_log_error(metric):
        shares = {"tickformat": ".0%"} if METRICS[metric].is_share else {}
        return {"title": {"text": name}, "rangemode": "tozero", **shares}
    places = height(np.array(TICKS))
    end = float(height(np.array(min(max(0.5, top), 1 - LEAST_ERROR)))) + _ROOM
    return {
        "title": {"text": name},
        "range": [0.0, end],
        "tickvals": places.tolist(),
        "ticktext": [percent(tick) for tick in TICKS],
    }


def placed(metric: str, values: Floats) -> list[float]:
    """Return where `values` of a metric lie on its axis."""
    if not is_log_error(metric):
        return list(values.tolist())
    return list(height(np.minimum(values, 1 - LEAST_ERROR)).tolist())


def said(metric: str, values: Floats) -> list[str]:
    """Return the `values` of a metric as texts beside the cursor."""
    return [measured(metric, value) for value in values.tolist()]


def level(metric: str, values: Sequence[float]) -> list[dict[str, Any]]:
    """Return a thin level line at each of `values` of a metric, such as those of targets."""
    line = {"color": "var(--faint)", "width": 1, "dash": "dot"}
    whole = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "layer": "below", "line": line}
    return [{**whole, "y0": y, "y1": y} for y in placed(metric, np.array(values, dtype=np.float64))]


def mark(at: float) -> dict[str, Any]:
    """Return a thin upright line at a place of the horizontal axis."""
    line = {"color": "var(--ink)", "width": 1, "dash": "dot"}
    return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": at, "x1": at, "line": line}


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Return round ticks, as plain numbers, of a logarithmic axis that shows `low` to `high`."""
    steps = next(steps for times, steps in _STEPS if high < times * low)
    exponents = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 2)
    ticks = [float(f"{step}e{exponent}") for exponent in exponents for step in steps]
    return {"tickvals": ticks, "ticktext": [three_digits(tick) for tick in ticks]}


def setting_axis(axis: Axis | None, names: Sequence[str] | None) -> dict[str, Any]:
    """Return the horizontal axis of a study: `names` in their order, or numbers with few ticks."""
    title = {"title": {"text": "" if axis is None else axis.label}}
    if names is not None:
        ends = [-0.5, len(names) - 0.5]
        return {**title, "tickvals": list(range(len(names))), "ticktext": list(names), "range": ends}
    if axis is None or axis.numbers is None:
        return title
    low, high = min(axis.numbers), max(axis.numbers)
    whole = {**title, "type": "log" if axis.logarithmic else "linear", "range": _with_room(axis, low, high)}
    if len(axis.numbers) <= _MOST_TICKS:
        ticks = {"tickvals": list(axis.numbers), "ticktext": [axis.tick(text) for text in axis.texts]}
        return {**whole, **ticks}
    return {**whole, **(log_ticks(low, high) if axis.logarithmic else {})}


def _with_room(axis: Axis, low: float, high: float) -> list[float]:
    """Return the ends of the axis as plotly has them, with room for marks: of a logarithmic one exponents."""
    ends = [math.log10(end) for end in (low, high)] if axis.logarithmic else [low, high]
    room = 0.05 * (ends[1] - ends[0]) or 0.5
    return [ends[0] - room, ends[1] + room]
