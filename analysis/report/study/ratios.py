"""How many times as fast as the baseline each line is, along x and over two axes."""

from collections.abc import Iterator

import numpy as np

from slfac_sim.analysis.format import target_words, times
from slfac_sim.analysis.report.against import charts
from slfac_sim.analysis.report.blocks import Block, Chart
from slfac_sim.analysis.report.study_rows import numbers_of, study_table
from slfac_sim.analysis.studies.heat import Heat, filled, heat, table
from slfac_sim.analysis.studies.study import StudyPoints
from slfac_sim.analysis.studies.tables import ratios_table
from slfac_sim.analysis.studies.to_target import ratios_to_target
from slfac_sim.foundation.arrays import Floats

TITLE = "Times as fast"
_SIDES = [[0.0, "var(--series-6)"], [0.5, "var(--paper)"], [1.0, "var(--series-4)"]]
_AMOUNTS = [[0.0, "var(--paper)"], [1.0, "var(--series-0)"]]


def blocks(study: StudyPoints) -> Iterator[Block]:
    """Yield the chart of ratios, that over two axes, and the table of each target."""
    data = ratios_to_target(study)
    if data is not None:
        yield from charts(
            f"Times as fast as {study.short_label(study.baseline)}", data, study.roles.x, "times"
        )
    cells = heat(study)
    if cells is not None:
        for title, *grids in cells.panels:
            yield _map(cells, title.replace("\n", " "), *grids)
    for target in study.targets if study.rivals else ():
        title = f"Times as fast as {study.short_label(study.baseline)}, to {target_words(target)}"
        yield study_table(study, title, ratios_table(study, target), folded=True)


def _map(cells: Heat, title: str, middle: Floats, low: Floats, high: Floats) -> Chart:
    shown = filled(middle, low, high)
    levels = np.log2(shown) if cells.is_ratio else np.log10(shown)
    most = float(np.nanmax(np.abs(levels))) if np.isfinite(levels).any() else 1.0
    ends = {"zmin": -most, "zmax": most} if cells.is_ratio else {}
    trace = {
        "type": "heatmap",
        "x": list(cells.columns),
        "y": list(cells.rows),
        "z": levels.tolist(),
        "text": [
            [_text(*cell) for cell in zip(*row, strict=True)] for row in zip(middle, low, high, strict=True)
        ],
        "texttemplate": "%{text}",
        "hovertemplate": "%{x}, %{y}: %{text}<extra></extra>",
        "colorscale": _SIDES if cells.is_ratio else _AMOUNTS,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        **ends,
    }
    layout = {
        "xaxis": {"title": {"text": cells.x_label}, "type": "category"},
        "yaxis": {"title": {"text": cells.y_label}, "type": "category"},
    }
    rows = [row for row in table(cells) if row["panel"] == title]
    named = title[:1].upper() + title[1:]
    return Chart(
        named, _extremes(cells, shown), [trace], layout, numbers_of(named, rows), 140 + 40 * len(cells.rows)
    )


def _text(middle: float, low: float, high: float) -> str:
    if np.isfinite(middle):
        return times(middle)
    return (
        f"> {times(low, up=False)}"
        if np.isfinite(low)
        else f"< {times(high, up=True)}"
        if np.isfinite(high)
        else "no run"
    )


def _extremes(cells: Heat, shown: Floats) -> str:
    """Say where the least and the most are."""
    if not np.isfinite(shown).any():
        return "Nothing is known."
    told = []
    for name, place in (("Most", np.nanargmax(shown)), ("Least", np.nanargmin(shown))):
        i, j = (int(at) for at in np.unravel_index(place, shown.shape))
        where = f"{cells.x_label} {cells.columns[j]}, {cells.y_label} {cells.rows[i]}"
        told.append(f"{name}: {times(float(shown[i, j]))}, at {where}.")
    return " ".join(told)
