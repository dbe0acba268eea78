"""Tables of a study on its page, sorted along its axes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from slfac_sim.analysis.format import three_digits
from slfac_sim.analysis.report.blocks import Cell, Table
from slfac_sim.analysis.report.text_rows import table_of
from slfac_sim.analysis.studies.study import StudyPoints

MOST_ROWS = 400
_NOTHING = Cell("-")


def study_table(
    study: StudyPoints, title: str, rows: Sequence[Mapping[str, str]], folded: bool = False
) -> Table:
    """Return `rows` of texts as a table; values of the axes are sorted by their size."""
    places = {
        axis.name: {axis.shown(text): number for text, number in zip(axis.texts, axis.numbers, strict=True)}
        for axis in study.axes
        if axis.numbers is not None
    }
    return table_of(title, rows, places, folded)


def numbers_of(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the numbers behind a chart, folded; columns without any value are left out.

    Of more than some hundred rows there are as many, evenly spread.
    """
    step = -(-len(rows) // MOST_ROWS) or 1
    chosen = rows[::step]
    head = [name for name in (rows[0] if rows else ()) if any(_cell(row[name]) != _NOTHING for row in rows)]
    some = f" (every {step}th of {len(rows):,})" if step > 1 else ""
    return Table(
        f"Numbers: {title}{some}", head, [[_cell(row[name]) for name in head] for row in chosen], True
    )


def _cell(value: Any) -> Cell:
    if isinstance(value, str):
        return Cell(value) if value else _NOTHING
    number = float(value)
    return Cell(_text(number), number) if math.isfinite(number) else _NOTHING


def _text(number: float) -> str:
    return (
        f"{number:.0f}"
        if number.is_integer()
        else f"{number:.4g}"
        if abs(number) < 1000
        else three_digits(number)
    )
