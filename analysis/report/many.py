"""A table of hosts: all of them where they are few; of many the quantiles, and those at the ends."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Cell, Table

FEW = 120  # hosts that are named in a table, folded
_QUANTILES = {"least": 0.0, "5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95, "most": 1.0}
_ENDS = 10


@dataclass(frozen=True)
class Column:
    """A figure of each host, NaN where it has none, or a text, and how one is shown."""

    name: str
    values: Sequence[Any]
    shown: Callable[[Any], Cell]

    @property
    def is_text(self) -> bool:
        """Whether it has no quantiles."""
        return any(isinstance(value, str) for value in self.values)


def few_or_quantiles(
    title: str, what: str, names: Sequence[str], columns: Sequence[Column]
) -> Iterator[Table]:
    """Yield the table of all hosts `names`; of many quantiles, and those at both ends of the last column."""
    if not names:
        return
    head = (what, *(column.name for column in columns))
    if len(names) <= FEW:
        yield Table(title, head, list(_rows(names, columns, range(len(names)))), folded=len(names) > 12)
        return
    yield quantiles(f"{title}: quantiles of {len(names):,}", columns)
    order = np.argsort(np.nan_to_num(np.asarray(columns[-1].values, np.float64), nan=np.inf), kind="stable")
    for end, places in (("least", order[:_ENDS]), ("most", order[::-1][:_ENDS])):
        named = f"{title}: the {len(places)} with the {end} of {columns[-1].name}"
        yield Table(named, head, list(_rows(names, columns, places.tolist())), folded=True)


def quantiles(title: str, columns: Sequence[Column]) -> Table:
    """Return the quantiles of each column of numbers, over the hosts that have the figure."""
    columns = [column for column in columns if not column.is_text]
    known = [np.array([v for v in column.values if np.isfinite(v)], np.float64) for column in columns]
    rows = [
        [
            cells.said(name),
            *(
                column.shown(float(np.quantile(values, at))) if values.size else cells.NONE
                for column, values in zip(columns, known, strict=True)
            ),
        ]
        for name, at in _QUANTILES.items()
    ]
    return Table(title, ("quantile", *(column.name for column in columns)), rows)


def _rows(names: Sequence[str], columns: Sequence[Column], places: Sequence[int]) -> Iterator[list[Cell]]:
    for place in places:
        yield [cells.said(names[place]), *(column.shown(column.values[place]) for column in columns)]
