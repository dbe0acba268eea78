"""Rows of texts as tables that can be sorted: what a number in a text is."""

import re
from collections.abc import Mapping, Sequence

from slfac_sim.analysis.report.blocks import Cell, Table

_NUMBER = re.compile(r"(?:[<>(]|median|at most|\s)*(-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])")

Places = Mapping[str, Mapping[str, float]]


def table_of(
    title: str, rows: Sequence[Mapping[str, str]], places: Places | None = None, folded: bool = False
) -> Table:
    """Return `rows`, which all have the same columns, as a table.

    A cell is sorted by what `places` says of its column and text, else by the number that it begins with:
    112 for ``> 112 s``, and for ``112 [98, 130] s``.
    """
    known = places or {}
    head = tuple(rows[0]) if rows else ()
    cells = [
        tuple(Cell(text, known.get(name, {}).get(text, _number(text))) for name, text in row.items())
        for row in rows
    ]
    return Table(title, head, cells, folded)


def _number(text: str) -> float | None:
    match = _NUMBER.match(text)
    return float(match[1].replace(",", "")) if match else None
