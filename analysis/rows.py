"""The tables of a run as rows, for what follows them one by one; arrays come from `Run.table` itself."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from slfac_sim.ledger.folder import LEDGER, Run
from slfac_sim.ledger.tables import TABLES

Rows = list[dict[str, Any]]
STRUCTURE = ("transfers", "computes", "offers", "steps", "rounds", "evals")  # what attribution needs
OFFERED = ("air", "stations", "links")  # what the air offered; not in runs from before there was such a table

SUMS = ("parts", "codec_notes")  # what bodies are made of; not in runs from before there was such a table


def rows_of(run: Run, names: Sequence[str] = STRUCTURE) -> dict[str, Rows]:
    """Return the tables `names` of `run` as lists of {column: value}, not to be changed. Raises `BadInput`.

    They are kept for the next figure of the same run, until `forget`.
    """
    written = (run.folder / LEDGER).stat().st_mtime_ns
    return {name: _kept(run.folder, written, name) for name in names}


def offered_of(run: Run) -> dict[str, Rows]:
    """Return the tables of the air before the run; without rows where the run is too old to have them."""
    there = set(run.tables())
    return {name: rows_of(run, (name,))[name] if name in there else [] for name in OFFERED}


def sums_of(run: Run) -> dict[str, Rows]:
    """Return the tables of what bodies are made of; without rows where the run is too old to have them."""
    there = set(run.tables())
    return {name: rows_of(run, (name,))[name] if name in there else [] for name in SUMS}


def spent_of(run: Run) -> Rows:
    """Return what was drawn at each evaluation; no rows where the run is too old to tell of all of them."""
    there = set(run.tables())
    rows = rows_of(run, ("spent",))["spent"] if "spent" in there else []
    return rows if len(rows) == run.curve().round.size else []


def forget() -> None:
    """Let go of the tables that are kept."""
    _kept.cache_clear()


@lru_cache(maxsize=len(STRUCTURE) + len(OFFERED) + len(SUMS))
def _kept(folder: Path, written: int, name: str) -> Rows:
    columns = Run(folder, {}).table(name)
    for key in TABLES[name]:
        columns[key]  # which says that it is not there
    keys = list(columns)
    values = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
    return [dict(zip(keys, row, strict=True)) for row in zip(*values, strict=True)]
