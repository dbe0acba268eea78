"""Reads the ledger of a run that is over: whole tables, chosen columns, and its digest; it writes nothing."""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.store import Row, chunks_in, digest_of
from slfac_sim.ledger.tables import TABLES

Column = NDArray[Any] | list[Any]

_STORED: dict[str, set[type]] = {
    "TEXT": {str, type(None)},
    "REAL": {float, type(None)},
    "INTEGER": {int, type(None)},
    "INTEGER PRIMARY KEY": {int},
}
_IN_WORDS = {str: "a text", bytes: "bytes", int: "a whole number", float: "a fraction", type(None): "NULL"}
_CHUNK = 4096  # rows checked at once


class LedgerReader:
    """The closed ledger in the file `path`. Every method raises `BadInput` if that cannot be read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that can only read. Raises `BadInput` for every error of SQLite in the block."""
        try:
            with closing(sqlite3.connect(_read_only(self.path), uri=True)) as db:
                yield db
        except sqlite3.Error as error:
            raise BadInput(
                f"{self.path}: cannot be read ({error}); expected the SQLite file of a run"
            ) from error

    def tables(self) -> list[str]:
        """Return the names of the tables, sorted."""
        with self.connect() as db:
            return _tables(db)

    def has(self, table: str) -> bool:
        """Return whether `table` is there with all its columns."""
        with self.connect() as db:
            there = {name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")}
        return there >= TABLES[table].keys()

    def tuples(
        self, table: str, names: Sequence[str], where: str = "1", parameters: Row = ()
    ) -> Iterator[Row]:
        """Yield the columns `names` of the rows of `table`, in order. Raises `BadInput` for an odd cell."""
        sql = f"SELECT {', '.join(names)} FROM {table} WHERE {where} ORDER BY rowid"
        with self.connect() as db:
            cursor = db.execute(sql, parameters)
            while rows := cursor.fetchmany(_CHUNK):
                for name, values in zip(names, zip(*rows, strict=True), strict=True):
                    self._refuse_odd(table, name, values)
                yield from rows

    def columns(self, table: str) -> dict[str, Column]:
        """Return `table` by columns: arrays of numbers (NULL is NaN), lists of texts.

        Raises `BadInput` if there is no such table, for a cell that no run writes, and for a column that is
        not there, when it is asked for.
        """
        with self.connect() as db:
            known = _tables(db)
            if table not in known:
                raise BadInput(f"{self.path}: no table '{table}' among {', '.join(known) or 'none'}")
            cursor = db.execute(f'SELECT * FROM "{table}" ORDER BY rowid')
            names = [description[0] for description in cursor.description]
            columns = list(zip(*cursor, strict=True)) or [()] * len(names)
        for name, values in zip(names, columns, strict=True):
            self._refuse_odd(table, name, values)
        return _Columns(f"{self.path}: table {table}", zip(names, map(column, columns), strict=True))

    def digest(self) -> str:
        """Return what `Ledger.digest` says of the same rows; a missing table has none."""
        with self.connect() as db:
            there = set(_tables(db))
            return digest_of(lambda table: chunks_in(db, table) if table in there else ())

    def _refuse_odd(self, table: str, name: str, values: Sequence[Any]) -> None:
        """Raise `BadInput` if a column of a run's table holds `values` that no run writes.

        Texts, whole numbers and times are there unless the column's meaning says when they are NULL. Tables
        of others may hold anything.
        """
        kind, meaning = TABLES.get(table, {}).get(name, ("", ""))
        if not kind:
            return
        types = set(map(type, values))
        odd = types - _STORED[kind]
        if "NULL" not in meaning and (kind != "REAL" or name.endswith("_s")):
            odd |= types & {type(None)}
        got = ", ".join(sorted(_IN_WORDS[kind] for kind in odd))
        if not odd and name.endswith("_s") and not all(map(math.isfinite, filter(None, values))):
            got = "infinity"
        if got:
            raise BadInput(f"{self.path}: column {name} of table {table}: found {got}, expected {kind}")


class _Columns(dict[str, Column]):
    """The columns of one table, which says what it lacks."""

    def __init__(self, where: str, columns: Iterable[tuple[str, Column]]) -> None:
        super().__init__(columns)
        self._where = where

    def __missing__(self, name: str) -> Column:
        raise BadInput(f"{self._where} has no column {name}; it has {', '.join(self)}")


def column(values: Sequence[Any]) -> Column:
    """Return `values` as an array of numbers (None is NaN), or as a list where a text is among them."""
    if any(isinstance(value, str | bytes) for value in values):
        return list(values)
    return np.array([np.nan if value is None else value for value in values])


def _tables(db: sqlite3.Connection) -> list[str]:
    return [
        name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]


def _read_only(path: Path) -> str:
    # A ledger that was closed is one immutable file, readable from any disk. One with a journal beside
    # it belongs to a run that was killed or still goes on: then SQLite must look at the journal too.
    beside = (path.with_name(path.name + end) for end in ("-wal", "-journal"))
    return path.resolve().as_uri() + ("?mode=ro" if any(map(Path.exists, beside)) else "?mode=ro&immutable=1")
