"""Cells over two axes of a study: times as fast as the baseline, or seconds to the target; undrawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.analysis.format import target_words
from slfac_sim.analysis.statistics import Estimate
from slfac_sim.analysis.studies.answers import main_target, ratio, to_target
from slfac_sim.analysis.studies.axes import Axis
from slfac_sim.analysis.studies.study import StudyPoints, spread
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.targets import Target


@dataclass(frozen=True)
class Heat:
    """What is drawn: in each panel (title) `middle` [rows, columns], or bounds `low`, `high` where it is NaN.

    `is_ratio` says whether 1 is the middle of the colours. NaN is nothing: no run, or no bound at all.
    """

    x_label: str
    y_label: str
    columns: Sequence[str]
    rows: Sequence[str]
    panels: Sequence[tuple[str, Floats, Floats, Floats]]
    is_ratio: bool


def heat(study: StudyPoints) -> Heat | None:
    """Return the cells; None unless x is a quantity and crosses another axis that makes no lines."""
    axes, target = _two_axes(study), main_target(study)
    if axes is None or target is None:
        return None
    across, down = axes
    lines = [text for text in study.lines if study.roles.line is not down]
    base = study.baseline
    rivals = [text for text in lines if text != base]
    compared = f"times as fast to {target_words(target)} as {study.short_label(base)}"
    is_ratio = bool(rivals)
    panels = []
    for text in spread(rivals or [""]):
        title = f"{study.line_label(text)}:\n{compared}" if is_ratio else f"seconds to {target_words(target)}"
        cells = [[_cell(study, across, down, x, y, text, target) for x in across.texts] for y in down.texts]
        grid = np.array(cells, dtype=np.float64)
        panels.append((title, grid[..., 0], grid[..., 1], grid[..., 2]))
    if not any(np.isfinite(filled(*grids)).any() for _, *grids in panels):
        return None
    columns, rows = ([axis.tick(text) for text in axis.texts] for axis in (across, down))
    return Heat(across.label, down.label, columns, rows, panels, is_ratio)


def table(heat: Heat) -> list[dict[str, Any]]:
    """Return one row for each cell."""
    return [
        {
            "panel": title.replace("\n", " "),
            heat.y_label: row,
            heat.x_label: column,
            "middle": middle[i, j],
            "more_than": low[i, j],
            "less_than": high[i, j],
        }
        for title, middle, low, high in heat.panels
        for i, row in enumerate(heat.rows)
        for j, column in enumerate(heat.columns)
    ]


def _two_axes(study: StudyPoints) -> tuple[Axis, Axis] | None:
    roles = study.roles
    if roles.x is None or not roles.x.numeric:
        return None
    down = next((axis for axis in roles.panels if len(axis.texts) > 1), None)
    if down is None and roles.line is not None and roles.line.numeric:
        down = roles.line
    return None if down is None or len(roles.x.texts) < 2 else (roles.x, down)


def _cell(
    study: StudyPoints, across: Axis, down: Axis, x: str, y: str, line: str, target: Target
) -> tuple[float, float, float]:
    """Return (middle, more than, less than) of one cell; further panel axes stay at their first value."""
    panel = {axis.path: axis.texts[0] for axis in study.roles.panels} | {down.path: y}
    if line:
        value: Estimate | None = ratio(study, panel, line, x, target)
    else:
        only = y if down is study.roles.line else study.lines[0]
        value = to_target(study, study.at(panel, only, x), target)
    if value is None:
        return math.nan, math.nan, math.nan
    return (value.mean.mean, math.nan, math.nan) if value.mean is not None else _bounds(*value.median)


def _bounds(low: float, high: float) -> tuple[float, float, float]:
    if low == high:
        return low, math.nan, math.nan
    return math.nan, low if low > 0 else math.nan, high if math.isfinite(high) else math.nan


def filled(middle: Floats, low: Floats, high: Floats) -> Floats:
    """Return the middles, and where they are NaN a bound: the lower one where there is one."""
    return np.where(np.isfinite(middle), middle, np.where(np.isfinite(low), low, high))
