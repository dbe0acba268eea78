"""The tables of a run as rows, for what follows them one by one; arrays come from `Run.table` itself."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from slfac_sim.analysis.folder import LEDGER, Run

Rows = list[dict[str, Any]]
STRUCTURE = ("transfers", "computes", "offers", "steps", "rounds", "evals")  # what attribution needs


def rows_of(run: Run, names: Sequence[str] = STRUCTURE) -> dict[str, Rows]:
    """Return the tables `names` of `run` as lists of {column: value}, not to be changed. Raises `BadInput`.

    They are kept for the next figure of the same run, until `forget`.
    """
    written = (run.folder / LEDGER).stat().st_mtime_ns
    return {name: _kept(run.folder, written, name) for name in names}


def forget() -> None:
    """Let go of the tables that are kept."""
    _kept.cache_clear()


@lru_cache(maxsize=len(STRUCTURE))
def _kept(folder: Path, written: int, name: str) -> Rows:
    columns = Run(folder, {}).table(name)
    keys = list(columns)
    values = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
    return [dict(zip(keys, row, strict=True)) for row in zip(*values, strict=True)]
