"""A ledger that is gone through a second time, row by row, up to a point, and written from there on.

It is the witness of a resumed run: what the run does again must be what it did before, to the last bit. It
knows neither protocol nor clock.
"""

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.store import FileLedger, Row, as_stored
from slfac_sim.ledger.tables import BY_ROUND, TABLES


class Differs(BadInput):
    """What happens now is not what is on record."""


class ContinuedLedger(FileLedger):
    """The ledger in the file `path`, of which the rows until `go_on` are there already.

    Until then every row that is added must be the next one of its table in the file. Nothing in the file
    changes before `go_on`, so that a kill leaves it as good as it was.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, continued=True)
        self._path = path
        self._there: dict[str, Generator[Row, None, None]] | None = {
            table: self._rows(table) for table in TABLES
        }

    def go_on(self, after_round: int) -> None:
        """Drop what is on record beyond the rows added so far, and what rounds after `after_round` left.

        Raises `Differs` unless all rows added so far are in the file.
        """
        self.commit()
        self._there = None
        for table in BY_ROUND:
            rounds = self.tuples(table, ("round",))
            self._waiting[table] = sum(past <= after_round for (past,) in rounds), []
        with self._db:
            for table, (count, _) in self._waiting.items():
                rest = f"(SELECT rowid FROM {table} ORDER BY rowid LIMIT -1 OFFSET ?)"
                self._db.execute(f"DELETE FROM {table} WHERE rowid IN {rest}", (count,))

    def stop(self) -> None:
        """Forget what was added since the last commit, if it has not gone on: the file has it all."""
        if self._there is not None:
            self._there = {table: self._rows(table) for table in TABLES}
            self._waiting = {table: (0, []) for table in TABLES}

    def commit(self) -> None:
        """Compare what was added with what is there, or keep it. Raises `Differs`."""
        if self._there is None:
            super().commit()
            return
        for table, (first, rows) in self._waiting.items():
            for number, row in enumerate(as_stored(table, rows), start=first):
                there = next(self._there[table], None)
                if there != row:
                    raise Differs(f"{self._path}: {difference(table, number, there, row)}")
            self._waiting[table] = first + len(rows), []

    def close(self) -> None:
        """Commit and close."""
        if self._there is not None:
            self.stop()
            for there in self._there.values():
                there.close()
        super().close()

    def _rows(self, table: str) -> Generator[Row, None, None]:
        for rows in self.chunks(table):
            yield from rows


def difference(table: str, number: int, there: Row | None, here: Row | None) -> str:
    """Say in which column row `number` of `table` is another than on record (`there`)."""
    if there is None or here is None:
        where = "not on record, but now" if there is None else "on record, but not now"
        return f"table {table}, row {number}: {where}"
    names: Mapping[str, Any] = TABLES[table]
    column, then, now = next(
        (name, a, b) for name, a, b in zip(names, there, here, strict=True) if not _same(a, b)
    )
    return f"table {table}, row {number}, column {column}: {then!r} on record, {now!r} now"


def _same(a: Any, b: Any) -> bool:
    return bool(a == b) and type(a) is type(b)
