"""The ledger: every transfer, computation and learning figure of a run, in one SQLite file.

It knows what its columns mean, and nothing of who writes them. Rows are kept in memory until the next
commit (one per round), so that what is on disk is always a whole number of rounds.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

PLACE = {
    "task": ("TEXT", "the task that asked, as the path of places from the protocol's root (empty)"),
    "seq": ("INTEGER", "the number of the effect within its task"),
}
TABLES: dict[str, dict[str, tuple[str, str]]] = {
    "transfers": {
        "id": ("INTEGER PRIMARY KEY", "number of the row, in order of completion"),
        **PLACE,
        "src": ("TEXT", "sending host"),
        "dst": ("TEXT", "receiving host; `*` for a multicast"),
        "receivers": ("INTEGER", "number of receiving hosts"),
        "payload_bytes": ("INTEGER", "sum of the lengths of the bodies sent"),
        "wire_bytes": ("INTEGER", "payload with packet headers"),
        "asked_s": ("REAL", "when the sender had the bytes ready"),
        "start_s": ("REAL", "when the medium took the first of them"),
        "last_bit_s": ("REAL", "when the last bit left and the air was free"),
        "end_s": ("REAL", "when the receiver held them all (latency included)"),
        "airtime_s": ("REAL", "share of the air integrated over time: what it would have taken alone"),
        "rate_bps": ("REAL", "wire bits per second of airtime"),
        "snr_db": ("REAL", "mean signal-to-noise ratio of the link"),
        "energy_j": ("REAL", "energy radiated: transmit power x airtime"),
        "tries": ("INTEGER", "number of transmissions"),
        "outcome": ("TEXT", "`delivered`, `cancelled` or `lost`"),
    },
    "payloads": {
        "transfer": ("INTEGER", "`transfers.id`"),
        "kind": ("TEXT", "`smashed_up`, `smashed_down`, `labels`, `model_up` or `model_down`"),
        "bytes": ("INTEGER", "length of the body, header included"),
        "value_count": ("INTEGER", "numbers that the body stands for"),
        "sha256": ("TEXT", "first 16 hexadecimal digits of the body's SHA-256"),
    },
    "computes": {
        "id": ("INTEGER PRIMARY KEY", "number of the row, in order of completion"),
        **PLACE,
        "host": ("TEXT", "computing host"),
        "what": ("TEXT", "the work: `forward`, `encode`, `train`, ..."),
        "flops": ("REAL", "work in FLOPs (equivalent FLOPs for codecs)"),
        "asked_s": ("REAL", "when it was asked for"),
        "start_s": ("REAL", "when the host was free for it"),
        "end_s": ("REAL", "when it was done"),
        "outcome": ("TEXT", "`done` or `interrupted`"),
    },
    "offers": {
        "id": ("INTEGER PRIMARY KEY", "number of the row, in order of the answers"),
        **PLACE,
        "host": ("TEXT", "host of the batching queue"),
        "queue": ("TEXT", "name of the queue"),
        "place": ("INTEGER", "place within the batch"),
        "what": ("TEXT", "the work that the batch waits for"),
        "flops": ("REAL", "this item's part of the work"),
        "max_items": ("INTEGER", "items that make the batch"),
        "asked_s": ("REAL", "when the item was offered"),
        "end_s": ("REAL", "when it was answered"),
    },
    "steps": {
        **PLACE,
        "at_s": ("REAL", "when the device had updated its half"),
        "round": ("INTEGER", "round, from 1"),
        "step": ("INTEGER", "step within the round, from 1"),
        "device": ("TEXT", "device"),
        "samples": ("INTEGER", "samples in its mini-batch"),
        "loss": ("REAL", "mean loss of its mini-batch, before the update"),
        "accuracy": ("REAL", "accuracy on its mini-batch, before the update"),
    },
    "rounds": {
        **PLACE,
        "at_s": ("REAL", "when the server had averaged the device halves"),
        "round": ("INTEGER", "round, from 1"),
        "devices": ("INTEGER", "devices that took part"),
        "samples": ("INTEGER", "samples that they used"),
        "loss": ("REAL", "mean training loss over those samples"),
    },
    "evals": {
        **PLACE,
        "at_s": ("REAL", "simulated time of the model that was measured (round 0: before training)"),
        "round": ("INTEGER", "round, from 0"),
        "accuracy": ("REAL", "test accuracy with the uplink codec between the halves"),
        "loss": ("REAL", "mean test loss with the uplink codec between the halves"),
        "accuracy_no_codec": ("REAL", "test accuracy of the same model without the codec"),
        "payload_bytes": ("INTEGER", "payload bytes delivered until then"),
    },
}
_PRAGMAS = ("PRAGMA journal_mode=DELETE", "PRAGMA synchronous=NORMAL")


class Ledger:
    """A new ledger in the file `path`; refuses a file that exists. Close it, or use it in a `with`."""

    def __init__(self, path: Path | str) -> None:
        if Path(path).exists():
            raise FileExistsError(f"{path} exists already")
        self._db = sqlite3.connect(path)
        for pragma in _PRAGMAS:
            self._db.execute(pragma)
        for table, columns in TABLES.items():
            definition = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
            self._db.execute(f"CREATE TABLE {table} ({definition})")
        self._db.commit()
        self._waiting: dict[str, list[tuple[Any, ...]]] = {table: [] for table in TABLES}
        self._next_id = dict.fromkeys(TABLES, 0)
        self.delivered_bytes = 0

    def add(self, table: str, row: Mapping[str, Any]) -> int:
        """Append `row` to `table` and return its number; every column must be there, and no other.

        `id` is the ledger's to give. Raises `ValueError` for an unknown table or another set of columns.
        """
        columns = TABLES.get(table)
        if columns is None:
            raise ValueError(f"no table {table!r} among {', '.join(TABLES)}")
        number = self._next_id[table]
        full = {"id": number, **row} if "id" in columns else row
        if full.keys() != columns.keys():
            odd = sorted(full.keys() ^ columns.keys())
            raise ValueError(f"table {table}: missing or unknown columns {', '.join(odd)}")
        self._waiting[table].append(tuple(full[name] for name in columns))
        self._next_id[table] += 1
        return number

    def commit(self) -> None:
        """Bring everything added so far to the disk, all or nothing."""
        with self._db:
            for table, rows in self._waiting.items():
                marks = ", ".join("?" * len(TABLES[table]))
                self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
                rows.clear()

    def query(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query over what has been added so far."""
        self.commit()
        return self._db.execute(sql, parameters).fetchall()

    def digest(self) -> str:
        """Return the SHA-256 over all rows of all tables, in their order; floats count to the last bit."""
        self.commit()
        whole = hashlib.sha256()
        for table in TABLES:
            whole.update(f"{table}\n".encode())
            for row in self._db.execute(f"SELECT * FROM {table} ORDER BY rowid"):
                whole.update(repr(row).encode())
        return whole.hexdigest()

    def close(self) -> None:
        """Commit and close; the single file then holds everything."""
        self.commit()
        self._db.close()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def rows_of(path: Path | str, table: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of `table` in the closed ledger `path`, in order, as {column: value}."""
    db = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
    try:
        db.row_factory = sqlite3.Row
        for row in db.execute(f"SELECT * FROM {table} ORDER BY rowid"):
            yield dict(row)
    finally:
        db.close()
