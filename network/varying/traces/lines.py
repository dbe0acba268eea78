"""Lines of a trace with their places, and the numbers in them."""

import csv
import io
import math
from collections.abc import Iterator, Sequence

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.units import parse_quantity

Row = tuple[int, Sequence[str]]

_DIMENSIONS = {"_bps": "data rate", "_s": "duration"}


def rows_of(text: str, name: str) -> Iterator[Row]:
    """Yield the number and the stripped cells of each line of a CSV `text` that is not empty.

    Raises `BadInput`, which begins with `name` and the number of the line.
    """
    lines = csv.reader(io.StringIO(text, newline=""))
    try:
        for cells in lines:
            if cells:
                yield lines.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise BadInput(f"{name}:{lines.line_num}: {error}") from error


def number(text: str, column: str, place: str) -> float:
    """Return the number in a cell: finite, not negative, `loss` below 1. Raises `BadInput`.

    It may have a unit, of time where the column's name ends with `_s`, or of a rate.
    """
    try:
        value = float(text)
    except ValueError:
        value = _quantity(text, column, place)
    if not 0.0 <= value < math.inf or (column == "loss" and value >= 1.0):
        most = ", below 1" if column == "loss" else ""
        raise BadInput(f"{place}: {column} must be a number, at least 0{most} (got {text!r})")
    return value


def coordinate(text: str, column: str, place: str) -> float:
    """Return the metres in a cell, which may be negative. Raises `BadInput`."""
    try:
        metres = float(text)
    except ValueError:
        metres = math.nan
    if not math.isfinite(metres):
        raise BadInput(f"{place}: {column} must be a number (got {text!r})")
    return metres


def _quantity(text: str, column: str, place: str) -> float:
    dimension = next((name for end, name in _DIMENSIONS.items() if column.endswith(end)), None)
    if dimension is None:
        return math.nan
    try:
        return parse_quantity(text, dimension)
    except ValueError as error:
        raise BadInput(f"{place}: {column}: {error}") from None
