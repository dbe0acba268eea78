"""Time to the target against the x axis of the study, with intervals over seeds; censoring is marked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis.format import percent
from slfac_sim.analysis.studies.answers import at_place, main_target, panels_of, texts_of, to_target
from slfac_sim.analysis.studies.figures._against_axis import (
    Against,
    Line,
    draw_against,
    has_something,
    positions,
    row_table,
)
from slfac_sim.analysis.studies.names import line_label, panel_label, short_label, spread
from slfac_sim.analysis.studies.study import StudyResult

PANEL_MM = 50.0


def data(study: StudyResult) -> Against | None:
    """Return the seconds to the main target, a panel for each further axis value; None without a target."""
    target = main_target(study)
    if target is None:
        return None
    axis = study.roles.x
    panels = [
        (panel_label(study, panel), [_line(study, panel, i, target) for i in range(_lines(study))])
        for panel in spread(panels_of(study))
    ]
    against = Against(
        x_label=axis.label if axis is not None else "",
        x_log=axis is not None and axis.logarithmic,
        y_label=f"time to {percent(target)} accuracy (s)",
        panels=panels,
        interval="95 % t interval over seeds",
        ticks=_ticks(study),
    )
    return against if has_something(against) else None


def table(against: Against) -> list[dict[str, Any]]:
    """Return one row for each point."""
    return list(row_table(against, against.x_label or "x"))


def draw(against: Against) -> Figure:
    """Return the figure."""
    return draw_against(against, PANEL_MM)


def _ticks(study: StudyResult) -> list[str] | None:
    axis = study.roles.x
    if axis is None:
        return [short_label(study, text) for text in texts_of(study.roles.line)]
    return None if axis.numeric else [axis.tick(text) for text in axis.texts]


def _lines(study: StudyResult) -> int:
    return len(texts_of(study.roles.line))


def _line(study: StudyResult, panel: Mapping[str, str], index: int, target: float) -> Line:
    text = texts_of(study.roles.line)[index]
    x = positions(study.roles.x, index)
    middle, low, high, beyond, within = (np.full(x.shape, np.nan) for _ in range(5))
    is_median, left_out = np.zeros(x.shape, dtype=np.bool_), np.zeros(x.shape, dtype=np.int64)
    for i, place in enumerate(texts_of(study.roles.x)):
        over = to_target(study, at_place(study, panel, text, place), target)
        if over is None:
            continue
        left_out[i] = over.untrained
        if over.mean is not None:
            middle[i], low[i], high[i] = over.mean.mean, over.mean.low, over.mean.high
        elif np.isinf(over.median[1]):
            beyond[i] = over.median[0] or np.nan
        elif over.median[0] == 0.0:
            within[i] = over.median[1] or np.nan
        else:
            is_median[i] = True
            low[i], high[i] = over.median
            middle[i] = low[i] if low[i] == high[i] else np.nan
    return Line(line_label(study, text), index, x, middle, low, high, beyond, within, is_median, left_out)
