"""How many times sooner than the baseline each variant is at the target, against the x axis of the study."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis.format import percent
from slfac_sim.analysis.studies.answers import (
    at_place,
    baseline_line,
    crossovers,
    main_target,
    panels_of,
    ratio,
    texts_of,
)
from slfac_sim.analysis.studies.figures._against_axis import (
    Against,
    Array,
    Line,
    draw_against,
    has_something,
    positions,
    row_table,
)
from slfac_sim.analysis.studies.names import line_label, panel_label, short_label, spread
from slfac_sim.analysis.studies.study import StudyResult

PANEL_MM = 48.0


def data(study: StudyResult) -> Against | None:
    """Return the ratios of times to the main target, baseline / variant; None without a target or a rival."""
    target, axis = main_target(study), study.roles.x
    if target is None or len(texts_of(study.roles.line)) < 2:
        return None
    chosen = spread(panels_of(study))
    base = short_label(study, baseline_line(study))
    against = Against(
        x_label=axis.label if axis is not None else "",
        x_log=axis is not None and axis.logarithmic,
        y_label=f"times as fast to {percent(target)}",
        panels=[(panel_label(study, panel), _lines(study, panel, target)) for panel in chosen],
        interval="95 % t interval, paired by seed",
        ticks=_ticks(study),
        level=(1.0, f"as fast as {base}"),
        marks=[_marks(study, panel, target) for panel in chosen] if axis is not None and axis.numeric else (),
        y_log=True,
    )
    return against if has_something(against) else None


def table(against: Against) -> list[dict[str, Any]]:
    """Return one row for each point."""
    return list(row_table(against, against.x_label or "x"))


def draw(against: Against) -> Figure:
    """Return the figure."""
    return draw_against(against, PANEL_MM)


def _rivals(study: StudyResult) -> list[tuple[int, str]]:
    base = baseline_line(study)
    return [(i, text) for i, text in enumerate(texts_of(study.roles.line)) if text != base]


def _ticks(study: StudyResult) -> list[str] | None:
    axis = study.roles.x
    if axis is None:
        return [short_label(study, text) for _, text in _rivals(study)]
    return None if axis.numeric else [axis.tick(text) for text in axis.texts]


def _lines(study: StudyResult, panel: Mapping[str, str], target: float) -> list[Line]:
    return [
        _line(study, panel, text, index, positions(study.roles.x, place), target)
        for place, (index, text) in enumerate(_rivals(study))
    ]


def _line(
    study: StudyResult, panel: Mapping[str, str], text: str, index: int, x: Array, target: float
) -> Line:
    middle, low, high, beyond, within = (np.full(x.shape, np.nan) for _ in range(5))
    is_median, left_out = np.zeros(x.shape, dtype=np.bool_), np.zeros(x.shape, dtype=np.int64)
    for i, place in enumerate(texts_of(study.roles.x)):
        base = at_place(study, panel, baseline_line(study), place)
        value = ratio(study, base, at_place(study, panel, text, place), target)
        if value is None:
            continue
        left_out[i] = value.untrained
        if value.mean is not None:
            middle[i], low[i], high[i] = value.mean.mean, value.mean.low, value.mean.high
            continue
        is_median[i] = True
        bounds = value.median
        if bounds[0] > 0 and math.isfinite(bounds[1]):
            low[i], high[i] = bounds
            middle[i] = value.middle
        elif bounds[0] > 0:
            beyond[i] = bounds[0]
        elif math.isfinite(bounds[1]):
            within[i] = bounds[1]
    return Line(line_label(study, text), index, x, middle, low, high, beyond, within, is_median, left_out)


def _marks(study: StudyResult, panel: Mapping[str, str], target: float) -> list[tuple[float, str]]:
    axis, found = study.roles.x, []
    assert axis is not None
    base = baseline_line(study)
    for _, text in _rivals(study):
        ratios = [
            ratio(study, at_place(study, panel, base, x), at_place(study, panel, text, x), target)
            for x in axis.texts
        ]
        crossed = crossovers(axis.numbers or (), ratios)
        found += [
            (one.at, f"crossover about {axis.amount(float(f'{one.at:.2g}'))}")
            for one in crossed
            if math.isfinite(one.at)
        ]
    return found
