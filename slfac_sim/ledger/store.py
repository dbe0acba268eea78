"""Writes the ledger, every transfer, computation and learning figure of a run, into a file or into memory.

`tables` says what its columns mean; it knows nothing of who writes them. Rows are kept in memory until the
next commit (one per round), so that what is on disk is always a whole number of rounds.
"""

import hashlib
import math
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Self

from slfac_sim.ledger.tables import DIGESTED, TABLES

_PRAGMAS = ("PRAGMA journal_mode=DELETE", "PRAGMA synchronous=NORMAL")
_NUMBERED = frozenset(table for table, columns in TABLES.items() if "id" in columns)
_GIVEN = {table: {name: None for name in columns if name != "id"} for table, columns in TABLES.items()}
_TYPES: dict[str, type] = {"REAL": float, "TEXT": str}
_CHUNK = 4096  # rows hashed at once
_MOST_VALUES = 999  # that a statement may have in every SQLite

Row = tuple[Any, ...]


class Ledger(ABC):
    """What rows are added to, in a file (`FileLedger`) or in memory (`MemoryLedger`): same rows, same digest.

    `delivered_bytes` are the payload bytes delivered so far, kept by who adds the transfers.
    """

    def __init__(self) -> None:
        # of each table the rows that wait for the next commit, and how many there were before them
        self._waiting: dict[str, tuple[int, list[Row]]] = {table: (0, []) for table in TABLES}
        self.delivered_bytes = 0

    def add(self, table: str, row: Mapping[str, Any]) -> int:
        """Append `row` to `table` and return its number; every column must be there, and no other.

        `id` is the ledger's to give. Raises `ValueError` for an unknown table or another set of columns.
        """
        if table not in TABLES:
            raise ValueError(f"no table {table!r} among {', '.join(TABLES)}")
        columns = _GIVEN[table]
        if row.keys() != columns.keys():
            odd = sorted(row.keys() ^ columns.keys())
            raise ValueError(f"table {table}: missing or unknown columns {', '.join(odd)}")
        return self.append(table, tuple([row[name] for name in columns]))

    def append(self, table: str, values: Row) -> int:
        """Append the row with these `values`, in the order of the columns without `id`; return its number.

        Nothing is checked: this is for who writes hundreds of thousands of rows.
        """
        first, rows = self._waiting[table]
        number = first + len(rows)
        rows.append((number, *values) if table in _NUMBERED else values)
        return number

    @abstractmethod
    def commit(self) -> None:
        """Keep everything added so far, all or nothing."""

    def close(self) -> None:
        """Keep everything added so far, and take no more."""
        self.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stop(self) -> None:  # noqa: B027 - most have nothing to do then
        """Know that who writes has ended, well or not; nothing is added from now on."""

    def has(self, table: str) -> bool:
        """Return whether it has such a table, with all its columns: of this version's it has every one."""
        return table in TABLES

    @abstractmethod
    def tuples(self, table: str, names: Sequence[str]) -> list[Row]:
        """Return the columns `names` of all rows of `table`, in their order, as SQLite stores values."""

    @abstractmethod
    def last(self, table: str, name: str) -> Any:
        """Return the column `name` of the last row of `table`, or None if it has no rows."""

    @abstractmethod
    def chunks(self, table: str) -> Iterator[list[Row]]:
        """Yield all rows of `table` whole, in order, some at a time; none of the lists is empty."""

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return all rows of `table`, in their order, as {column: value}."""
        names = list(TABLES[table])
        return [dict(zip(names, row, strict=True)) for row in self.tuples(table, names)]

    def digest(self) -> str:
        """Return the SHA-256 over all rows of what happened, in their order; floats count to the last bit.

        A table without rows leaves no mark, and the tables of the air before the run (`AIR`) are left out.
        """
        self.commit()
        return digest_of(self.chunks)


def digest_of(chunks: Callable[[str], Iterable[list[Row]]]) -> str:
    """Return the digest of the rows that `chunks` yields of each table; see `Ledger.digest`."""
    whole = hashlib.sha256()
    for table in DIGESTED:
        head = f"{table}\n"
        for rows in chunks(table):
            whole.update((head + "".join(map(repr, rows))).encode())
            head = ""
    return whole.hexdigest()


class MemoryLedger(Ledger):
    """A ledger in memory only, for the many replays of a study."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, list[Row]] = {table: [] for table in TABLES}

    def commit(self) -> None:
        """Keep everything added so far."""
        for table, (first, rows) in self._waiting.items():
            kept = self._kept[table]
            kept += as_stored(table, rows[len(kept) - first :])
            self._waiting[table] = first + len(rows), []

    def tuples(self, table: str, names: Sequence[str]) -> list[Row]:
        """Return the columns `names` of all rows of `table`, in their order, as SQLite stores values."""
        self.commit()
        places = [list(TABLES[table]).index(name) for name in names]
        return [tuple([row[place] for place in places]) for row in self._kept[table]]

    def last(self, table: str, name: str) -> Any:
        """Return the column `name` of the last row of `table`, or None if it has no rows."""
        self.commit()
        rows = self._kept[table]
        return rows[-1][list(TABLES[table]).index(name)] if rows else None

    def chunks(self, table: str) -> Iterator[list[Row]]:
        """Yield all rows of `table` whole, in order, some at a time."""
        rows = self._kept[table]
        for first in range(0, len(rows), _CHUNK):
            yield rows[first : first + _CHUNK]


def as_stored(table: str, rows: list[Row]) -> list[Row]:
    """Return `rows` as they would come back from SQLite, whose columns have one type each."""
    types = [_TYPES.get(kind, int) for kind, _ in TABLES[table].values()]
    if all(map(_is_stored, zip(*rows, strict=True), types)):
        return rows
    return [tuple(map(_value, row, types)) for row in rows]


def _is_stored(values: Row, kept: type) -> bool:
    return set(map(type, values)) <= {kept} and not (kept is float and (_odd_zero(values) or _nan(values)))


def _odd_zero(values: Row) -> bool:
    return 0.0 in values and any(math.copysign(1.0, value) < 0.0 for value in values if value == 0.0)


def _nan(values: Row) -> bool:
    return math.isnan(sum(values))  # infinities of both signs make one too, and then one looks closer


def _value(value: Any, kept: type) -> Any:
    if value is None or value != value:  # NaN is NULL
        return None
    return kept(value) if kept is not float else float(value) + 0.0  # -0.0 is 0.0


class FileLedger(Ledger):
    """A new ledger in the file `path`; refuses a file that exists. Close it, or use it in a `with`.

    With `continued` it is the one that is there (for `ContinuedLedger`); what a killed process was about to
    commit is taken back. Raises `sqlite3.Error` for a file that is none.
    """

    def __init__(self, path: Path | str, continued: bool = False) -> None:
        super().__init__()
        if Path(path).exists() != continued:
            raise FileNotFoundError(path) if continued else FileExistsError(f"{path} exists already")
        self._db = sqlite3.connect(path)
        try:
            self._begin(continued)
        except BaseException:
            self._db.close()
            raise

    def _begin(self, continued: bool) -> None:
        for pragma in _PRAGMAS:
            self._db.execute(pragma)
        if continued:
            return
        with self._db:
            self._db.execute("BEGIN")  # else each table is a transaction, which waits for the disk
            for table, columns in TABLES.items():
                definition = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
                self._db.execute(f"CREATE TABLE {table} ({definition})")

    def commit(self) -> None:
        """Bring everything added so far to the disk, all or nothing.

        An interrupt may fall anywhere: what the database holds already is not inserted again.
        """
        with self._db:
            for table, (first, rows) in self._waiting.items():
                if rows:
                    self._insert(table, rows[self._count(table) - first :])
        for table, (first, rows) in self._waiting.items():  # only now: a commit that fails must lose nothing
            self._waiting[table] = first + len(rows), []

    def _count(self, table: str) -> int:
        """Return how many rows of `table` the database holds: their rowids follow one another."""
        ((last,),) = self._db.execute(f"SELECT MAX(rowid) FROM {table}")
        return 0 if last is None else int(last) + (table in _NUMBERED)  # numbers begin at 0, rowids at 1

    def _insert(self, table: str, rows: list[Row]) -> None:
        """Insert `rows`, many at a time: a statement for each costs SQLite half as much again."""
        marks = f"({', '.join('?' * len(TABLES[table]))})"
        many = _MOST_VALUES // len(TABLES[table])
        whole = len(rows) - len(rows) % many
        chunks = (tuple(chain.from_iterable(rows[first : first + many])) for first in range(0, whole, many))
        self._db.executemany(f"INSERT INTO {table} VALUES {', '.join([marks] * many)}", chunks)
        self._db.executemany(f"INSERT INTO {table} VALUES {marks}", rows[whole:])

    def tuples(self, table: str, names: Sequence[str]) -> list[Row]:
        """Return the columns `names` of all rows of `table`, in their order."""
        return self.query(f"SELECT {', '.join(names)} FROM {table} ORDER BY rowid")

    def last(self, table: str, name: str) -> Any:
        """Return the column `name` of the last row of `table`, or None if it has no rows."""
        rows = self.query(f"SELECT {name} FROM {table} ORDER BY rowid DESC LIMIT 1")
        return rows[0][0] if rows else None

    def query(self, sql: str, parameters: Row = ()) -> list[Row]:
        """Return the rows of a query over what has been added so far."""
        self.commit()
        return self._db.execute(sql, parameters).fetchall()

    def chunks(self, table: str) -> Iterator[list[Row]]:
        """Yield all rows of `table` whole, in order, some at a time."""
        yield from chunks_in(self._db, table)

    def close(self) -> None:
        """Commit and close; the single file then holds everything. It is closed even if that fails."""
        try:
            self.commit()
        finally:
            self._db.close()


def chunks_in(db: sqlite3.Connection, table: str) -> Iterator[list[Row]]:
    """Yield all rows of `table` whole, in order, some at a time."""
    cursor = db.execute(f"SELECT * FROM {table} ORDER BY rowid")
    while rows := cursor.fetchmany(_CHUNK):
        yield rows
