"""Estimates against the x axis of a study, a line for each variant, with intervals and bounds; undrawn."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.analysis.statistics import Estimate
from slfac_sim.analysis.studies.axes import Axis
from slfac_sim.analysis.studies.study import StudyPoints, spread
from slfac_sim.foundation.arrays import Bools, Floats


@dataclass(frozen=True)
class Line:
    """One variant: at each of `x` a `middle` with its interval `low` to `high`, or a bound; NaN for nothing.

    `beyond` is a lower bound (drawn with an arrow up), `within` an upper one (arrow down). `is_median`
    [points] says which middles, and bounds, are of medians, because a run is censored. `left_out` [points]
    counts runs, or pairs, that are not shown because the untrained model meets the target. `look` numbers
    colour and marker.
    """

    label: str
    look: int
    x: Floats
    middle: Floats
    low: Floats
    high: Floats
    beyond: Floats
    within: Floats
    is_median: Bools
    left_out: NDArray[np.int64]


@dataclass(frozen=True)
class Against:
    """What is drawn: `panels` (title, lines), each `panel_mm` high, below one another, all over one x axis.

    `ticks` [values of x] are names where x is no quantity, else None. `interval` says in words what the bars
    are; `level` is a horizontal line with its label, `marks` [panels] vertical ones. `y_log` asks for a
    logarithmic axis also where the values span less than a decade.
    """

    x_label: str
    x_log: bool
    y_label: str
    panels: Sequence[tuple[str, Sequence[Line]]]
    ticks: Sequence[str] | None
    interval: str
    panel_mm: float
    level: tuple[float, str] | None = None
    marks: Sequence[Sequence[tuple[float, str]]] = ()
    y_log: bool = False


def against(
    study: StudyPoints,
    looks: Mapping[str, int],
    estimate: Callable[[Mapping[str, str], str, str], Estimate | None],
    **how: Any,
) -> Against | None:
    """Return what `estimate` (of a panel, a line and an x) is along x; None where it is known nowhere.

    `looks` numbers colour and marker of the lines that are shown, and `how` are the other members of
    `Against`.
    """
    axis = study.roles.x

    def lines_at(panel: Mapping[str, str]) -> Iterator[Line]:
        for place, (text, look) in enumerate(looks.items()):
            values = [estimate(panel, text, x) for x in study.xs]
            yield _line(study.line_label(text), look, _places(axis, place), values)

    panels = [(study.panel_label(panel), list(lines_at(panel))) for panel in spread(study.panels)]
    shown = [(line.middle, line.low, line.beyond, line.within) for _, lines in panels for line in lines]
    if not any(np.isfinite(values).any() for values in shown):
        return None
    if axis is None:
        return Against("", False, panels=panels, ticks=[study.short_label(text) for text in looks], **how)
    ticks = None if axis.numeric else [axis.tick(text) for text in axis.texts]
    return Against(axis.label, axis.logarithmic, panels=panels, ticks=ticks, **how)


def table(data: Against) -> Iterator[dict[str, Any]]:
    """Yield the rows behind the figure, one for each point of each line."""
    for title, lines in data.panels:
        for line in lines:
            for i, x in enumerate(line.x):
                yield {
                    "panel": title,
                    "line": line.label,
                    data.x_label or "x": data.ticks[int(x)] if data.ticks is not None else float(x),
                    "statistic": _statistic(line, i),
                    "middle": line.middle[i],
                    "low": line.low[i],
                    "high": line.high[i],
                    "more_than": line.beyond[i],
                    "less_than": line.within[i],
                    "untrained": line.left_out[i],
                }


def _statistic(line: Line, i: int) -> str:
    """Return what the row tells of, by a number or by bounds of it; nothing without a run."""
    known = any(np.isfinite(values[i]) for values in (line.middle, line.low, line.beyond, line.within))
    return "median" if line.is_median[i] else "mean" if known else ""


def _places(axis: Axis | None, line: int) -> Floats:
    """Return where the values of an axis stand: its numbers, or 0, 1, 2; without one, the line's place."""
    if axis is None:
        return np.array([float(line)])
    return np.array(axis.numbers if axis.numbers is not None else range(len(axis.texts)), dtype=np.float64)


def _line(label: str, look: int, x: Floats, values: Sequence[Estimate | None]) -> Line:
    middle, low, high, beyond, within = np.array([_cell(value) for value in values]).T
    is_median = np.array([value is not None and value.mean is None for value in values])
    left_out = np.array([0 if value is None else value.untrained for value in values], dtype=np.int64)
    return Line(label, look, x, middle, low, high, beyond, within, is_median, left_out)


def _cell(value: Estimate | None) -> tuple[float, float, float, float, float]:
    """Return the middle, its interval from low to high, a bound below and a bound above; NaN for nothing."""
    nan = math.nan
    if value is None:
        return nan, nan, nan, nan, nan
    if value.mean is not None:
        return value.mean.mean, value.mean.low, value.mean.high, nan, nan
    low, high = value.median
    if math.isinf(high):
        return nan, nan, nan, low or nan, nan
    if low == 0.0:
        return nan, nan, nan, nan, high or nan
    return (low if low == high else nan), low, high, nan, nan
