"""The tables of a run as files of their own, CSV or Parquet. It knows no table by name.

Parquet goes through pyarrow, which is asked for here alone.
"""

import csv
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from slfac_sim.analysis.folder import LEDGER, Run, load
from slfac_sim.foundation.errors import BadInput

_CHUNK = 10_000
_SQL_TYPES = {"INTEGER": "int64", "REAL": "float64", "TEXT": "string"}


def export(folder: Path, form: str, out: Path | None = None) -> list[Path]:
    """Write every table of the run in `folder` as ``TABLE.csv`` or ``TABLE.parquet``; return the files.

    They go into `out`, or into ``tables/`` in the run. Raises `BadInput` for a folder that is no run, a form
    that is none, or a missing pyarrow.
    """
    if form not in _WRITERS:
        raise BadInput(f"--format {form}: expected one of {', '.join(_WRITERS)}")
    if form == "parquet":
        _pyarrow()
    run = load(folder)
    target = run.folder / "tables" if out is None else out
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {target}: cannot be made a folder ({error.strerror})") from error
    files = []
    for name in run.tables():
        files.append(target / f"{name}.{form}")
        _write(run, name, _WRITERS[form], files[-1])
    return files


def _write(run: Run, name: str, writer: Callable[..., None], path: Path) -> None:
    source = run.folder / LEDGER
    try:
        with closing(run.connect()) as ledger:
            columns = [(row[1], str(row[2])) for row in ledger.execute(f'PRAGMA table_info("{name}")')]
            writer(ledger.execute(f'SELECT * FROM "{name}" ORDER BY rowid'), columns, path)
    except sqlite3.Error as error:
        raise BadInput(f"{source}: cannot be read ({error}); expected the SQLite file of a run") from error


def _write_csv(cursor: sqlite3.Cursor, columns: Sequence[tuple[str, str]], path: Path) -> None:
    """Write a head line and the rows; a missing value is an empty cell, a float has all its digits."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([name for name, _ in columns])
        table.writerows(cursor)


def _write_parquet(cursor: sqlite3.Cursor, columns: Sequence[tuple[str, str]], path: Path) -> None:
    arrow, parquet = _pyarrow()
    types = [(name, _arrow_type(arrow, path.stem, name, kind)) for name, kind in columns]
    schema = arrow.schema(types)
    with parquet.ParquetWriter(path, schema) as file:
        while rows := cursor.fetchmany(_CHUNK):
            arrays = [
                arrow.array(values, kind)
                for values, (_, kind) in zip(zip(*rows, strict=True), types, strict=True)
            ]
            file.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _arrow_type(arrow: Any, table: str, name: str, kind: str) -> Any:
    if kind not in _SQL_TYPES:
        raise BadInput(f"{table}.{name}: has type '{kind}', expected {', '.join(_SQL_TYPES)}")
    return getattr(arrow, _SQL_TYPES[kind])()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        reason = 'needs pyarrow: pip install "slfac_sim[storage]", or take --format csv'
        raise BadInput(f"--format parquet: {reason}") from error
    return pyarrow, pyarrow.parquet


_WRITERS: dict[str, Callable[..., None]] = {"csv": _write_csv, "parquet": _write_parquet}
