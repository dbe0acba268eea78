"""The tables of a run as rows, for what goes through them row by row; arrays come from `Run.table`."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import LEDGER, Run
from slfac_sim.ledger.tables import TABLES

Rows = list[dict[str, Any]]
STRUCTURE = ("transfers", "computes", "offers", "steps", "rounds", "evals")  # what attribution needs
LIMITING = ("wires", "bottlenecks", "set_ups")  # what it has besides, where there are wires or a transport
OFFERED = ("air", "stations", "links", "wires", "routes")  # what the network offers, known before the run
_KEPT = 32  # tables, those of a ledger
_derived: dict[tuple[Path, int, str], Any] = {}

T = TypeVar("T")


def rows_of(run: Run, names: Sequence[str]) -> dict[str, Rows]:
    """Return the tables `names` of `run` as lists of {column: value}, not to be changed. Raises `BadInput`.

    They are kept for the next figure of the same run, until `forget`.
    """
    written = _written(run)
    return {name: _kept(run.folder, written, name) for name in names}


def _written(run: Run) -> int:
    """Return when the ledger was written last."""
    path = run.folder / LEDGER
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error


def rows_if_there(run: Run, names: Sequence[str]) -> dict[str, Rows]:
    """Return the same, without rows where the run is too old to have a table, or all of its columns."""
    return {name: rows_of(run, (name,))[name] if run.has(name) else [] for name in names}


def recorded(run: Run) -> dict[str, Rows]:
    """Return what attribution goes through: who waited for what, and which links limited transfers."""
    return {**rows_of(run, STRUCTURE), **rows_if_there(run, LIMITING)}


def derived(run: Run, name: str, make: Callable[[], T]) -> T:
    """Return what `make` makes of the tables of `run`, under a `name`; kept too, of one run at a time."""
    which = run.folder, _written(run)
    if any(kept[:2] != which for kept in _derived):
        _derived.clear()
    if (*which, name) not in _derived:
        _derived[*which, name] = make()
    found: T = _derived[*which, name]
    return found


def forget() -> None:
    """Let go of the tables that are kept, and of what was made of them."""
    _kept.cache_clear()
    _derived.clear()


@lru_cache(maxsize=_KEPT)
def _kept(folder: Path, written: int, name: str) -> Rows:
    columns = Run(folder, {}).table(name)
    for key in TABLES[name]:
        columns[key]  # which says that it is not there
    keys = list(columns)
    values = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
    return [dict(zip(keys, row, strict=True)) for row in zip(*values, strict=True)]
