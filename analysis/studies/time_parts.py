"""What the time of a study goes into: seconds of its parts along x, for each line; undrawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.analysis.studies.answers import means
from slfac_sim.analysis.studies.study import StudyPoints, spread
from slfac_sim.foundation.arrays import Floats

_MOST_BARS, _MOST_LINES = 12, 20


@dataclass(frozen=True)
class TimeParts:
    """What is drawn: in each panel (title) the `seconds` [parts, values of x], averaged over seeds."""

    x_label: str
    ticks: Sequence[str]
    parts: Sequence[str]
    panels: Sequence[tuple[str, Floats]]


def time_parts(study: StudyPoints) -> TimeParts | None:
    """Return the seconds of each part, at the first values of further axes; None where no point has parts."""
    axis, panel = study.roles.x, study.panels[0]
    xs = spread(study.xs, _MOST_BARS)
    rows = {
        line: [means(study, study.at(panel, line, x), "parts_s") for x in xs]
        for line in spread(study.lines, 4 if axis is not None else _MOST_LINES)
    }
    parts = list(dict.fromkeys(part for row in rows.values() for cell in row for part in cell))
    if not parts:
        return None
    where = study.panel_label(panel)
    grids = {line: _grid(row, parts) for line, row in rows.items()}
    if axis is None:  # one bar for each line, all in one panel
        names = [study.short_label(line) for line in grids]
        return TimeParts("", names, parts, [(where, np.concatenate(list(grids.values()), axis=1))])
    end = f", {where}" if where else ""
    panels = [(study.line_label(line) + end, grid) for line, grid in grids.items()]
    return TimeParts(axis.label, [axis.tick(x) for x in xs], parts, panels)


def table(times: TimeParts) -> list[dict[str, Any]]:
    """Return one row for each bar, with the seconds of each part."""
    return [
        {
            "line": title,
            times.x_label or "x": tick,
            **{f"{part} (s)": seconds[i, j] for i, part in enumerate(times.parts)},
        }
        for title, seconds in times.panels
        for j, tick in enumerate(times.ticks)
    ]


def _grid(row: Sequence[Mapping[str, float]], parts: Sequence[str]) -> Floats:
    return np.array([[cell.get(part, np.nan) for cell in row] for part in parts], dtype=np.float64)
