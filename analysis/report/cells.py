"""Cells of tables: numbers as people read them, with the number that a column is sorted by."""

import math

from slfac_sim.analysis.format import fixed_percent, one_decimal, quantity, three_digits
from slfac_sim.analysis.report.blocks import Cell

NONE = Cell("-")
CLOCK_S = 1e-9  # less is what a clock's rounding leaves


def said(text: object) -> Cell:
    """Return a cell of words."""
    return Cell(str(text))


def whole(number: int | None) -> Cell:
    """Return a cell with a count; a dash where there is none."""
    return NONE if number is None else Cell(f"{number:,}", number)


def number(value: float | None) -> Cell:
    """Return a cell with a number of three digits; a dash where there is none."""
    known = _known(value)
    return NONE if known is None else Cell(three_digits(known), known)


def seconds(value: float | None) -> Cell:
    """Return a cell with seconds; a dash where there are none."""
    known = _known(value)
    return NONE if known is None else Cell(f"{one_decimal(known if abs(known) >= CLOCK_S else 0.0)} s", known)


def measured(value: float | None, unit: str) -> Cell:
    """Return a cell with a quantity (SI) in a unit that suits it; a dash where there is none."""
    known = _known(value)
    return NONE if known is None else Cell(quantity(known, unit), known)


def share(part: float | None, decimals: int = 2) -> Cell:
    """Return a cell with a part of 1 as a percentage; a dash where there is none."""
    known = _known(part)
    return NONE if known is None else Cell(fixed_percent(known, decimals), known)


def _known(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
