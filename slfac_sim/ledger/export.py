"""The tables of a run as files of their own, CSV or Parquet, under names of ours; others are left out.

Parquet goes through pyarrow, which is asked for here alone.
"""

import csv
import os
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import LEDGER, Run, load
from slfac_sim.ledger.tables import TABLES

_CHUNK = 10_000
_SQL_TYPES = {"INTEGER": "int64", "REAL": "float64", "TEXT": "string"}


def export(folder: Path, form: str, out: Path | None = None, overwrite: bool = False) -> list[Path]:
    """Write every table of the run in `folder` as ``TABLE.csv`` or ``TABLE.parquet``; return the files.

    They go into `out`, or into ``tables/`` in the run, when all are written. Raises `BadInput` for a folder
    that is no run, a form that is none, a missing pyarrow, and a file that is there, unless asked to
    `overwrite`.
    """
    if form not in _WRITERS:
        raise BadInput(f"--format {form}: expected one of {', '.join(_WRITERS)}")
    if form == "parquet":
        _pyarrow()
    run = load(folder)
    target = run.folder / "tables" if out is None else out
    names = [name for name in run.tables() if name in TABLES]
    if not names:
        raise BadInput(f"{run.folder / LEDGER}: no table of a run in it")
    files = [target / f"{name}.{form}" for name in names]
    if not overwrite:
        _refuse_existing(files)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {target}: cannot be made a folder ({error.strerror})") from error
    with tempfile.TemporaryDirectory(prefix=".export-", dir=target) as stage:
        for name, file in zip(names, files, strict=True):
            _write(run, name, _WRITERS[form], Path(stage) / file.name)
        for file in files:
            _place(Path(stage) / file.name, file, overwrite)
    return files


def foreign_tables(run: Run) -> list[str]:
    """Return the names of the tables in the ledger that are none of a run's, which `export` leaves out."""
    return [name for name in run.tables() if name not in TABLES]


def _refuse_existing(files: Sequence[Path]) -> None:
    for file in files:
        if file.exists() or file.is_symlink():
            raise BadInput(f"{file}: exists already; name a new folder with --out, or add --overwrite")


def _place(written: Path, file: Path, overwrite: bool) -> None:
    try:
        if not overwrite:
            file.touch(exist_ok=False)  # whoever was first since we looked keeps it
    except FileExistsError:
        _refuse_existing([file])
    os.replace(written, file)


def _write(run: Run, name: str, writer: Callable[..., None], path: Path) -> None:
    with run.ledger.connect() as ledger:
        columns = [(row[1], str(row[2])) for row in ledger.execute(f'PRAGMA table_info("{name}")')]
        writer(ledger.execute(f'SELECT * FROM "{name}" ORDER BY rowid'), columns, path)


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
            columns_now = zip(types, zip(*rows, strict=True), strict=True)
            arrays = [_arrow_array(arrow, path.stem, *kind, values) for kind, values in columns_now]
            file.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _arrow_type(arrow: Any, table: str, name: str, kind: str) -> Any:
    if kind not in _SQL_TYPES:
        raise BadInput(f"{table}.{name}: has type '{kind}', expected {', '.join(_SQL_TYPES)}")
    return getattr(arrow, _SQL_TYPES[kind])()


def _arrow_array(arrow: Any, table: str, name: str, kind: Any, values: Sequence[Any]) -> Any:
    try:
        return arrow.array(values, kind)
    except (arrow.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"{table}.{name}: holds something other than {kind} ({error})") from error


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        reason = 'needs pyarrow: pip install "slfac_sim[storage]", or take --format csv'
        raise BadInput(f"--format parquet: {reason}") from error
    return pyarrow, pyarrow.parquet


_WRITERS: dict[str, Callable[..., None]] = {"csv": _write_csv, "parquet": _write_parquet}
