"""The ledger: columns are checked, commits are whole, the digest sees every bit."""

import hashlib
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from run_folders import largest_file
from worlds import table

from slfac_sim.ledger import store
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.store import FileLedger, Ledger, MemoryLedger
from slfac_sim.ledger.tables import TABLES

PAYLOAD = {"transfer": 0, "kind": "labels", "bytes": 16, "value_count": 16, "sha256": "00"}
EVAL: dict[str, Any] = {
    "task": "", "seq": 0, "at_s": 0.1, "round": 0, "accuracy": 0.1, "loss": 2.3, "accuracy_no_codec": 0.1,
    "payload_bytes": 0,
}  # fmt: skip


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    with FileLedger(tmp_path / "l.sqlite") as ledger:
        ledger.add("evals", EVAL)
        ledger.add("payloads", PAYLOAD)
    assert table(tmp_path / "l.sqlite", "evals") == [EVAL]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l.sqlite"]  # the single file travels


def test_numbers_are_given_in_order(tmp_path: Path) -> None:
    row = dict.fromkeys(TABLES["computes"], 1)
    del row["id"]
    with FileLedger(tmp_path / "l.sqlite") as ledger:
        assert [ledger.add("computes", row) for _ in range(3)] == [0, 1, 2]
        assert ledger.query("SELECT id FROM computes") == [(0,), (1,), (2,)]


def test_only_what_was_committed_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    ledger = FileLedger(path)
    ledger.add("payloads", PAYLOAD)
    ledger.commit()
    ledger.add("payloads", PAYLOAD)
    assert len(table(path, "payloads")) == 1
    ledger.close()
    assert len(table(path, "payloads")) == 2


def interrupted_at(number: int, function: Callable[[], None]) -> bool:
    """Call `function`, which is interrupted before bytecode `number` of the ledger, unless it has fewer."""
    left = number

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != store.__file__:
            return None
        frame.f_trace_opcodes = True
        left -= event == "opcode"
        if left < 0:
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("new", [lambda: FileLedger(":memory:"), MemoryLedger])
def test_an_interrupt_at_any_bytecode_of_a_commit_neither_loses_nor_doubles_rows(
    new: Callable[[], Ledger],
) -> None:
    row = dict.fromkeys(list(TABLES["computes"])[1:], 1)
    for number in count():
        with new() as ledger:
            ledger.add("payloads", PAYLOAD)
            ledger.add("computes", row)
            ledger.commit()
            ledger.add("payloads", PAYLOAD)
            ledger.add("computes", row)
            interrupted = interrupted_at(number, ledger.commit)
            assert ledger.add("computes", row) == 2
            assert [id for (id,) in ledger.tuples("computes", ("id",))] == [0, 1, 2]
            assert ledger.rows("payloads") == [PAYLOAD, PAYLOAD]
        if not interrupted:
            break


@pytest.mark.parametrize(
    ("table", "row", "message"),
    [
        ("payload", PAYLOAD, "no table 'payload' among air, stations, links, wires, routes, transfers"),
        ("payloads", {**PAYLOAD, "byte": 1}, "table payloads: missing or unknown columns byte"),
        ("payloads", {"transfer": 0}, "missing or unknown columns bytes, kind, sha256, value_count"),
    ],
)
def test_wrong_rows_are_refused(tmp_path: Path, table: str, row: dict[str, Any], message: str) -> None:
    with FileLedger(tmp_path / "l.sqlite") as ledger, pytest.raises(ValueError, match=message):
        ledger.add(table, row)


def test_all_tables_are_made_in_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One wait for the disk, not one a table: of a ledger that fails halfway nothing is there."""
    monkeypatch.setitem(TABLES, "no table", {"at_s": ("REAL", "")})
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        FileLedger(tmp_path / "l.sqlite")
    with closing(sqlite3.connect(tmp_path / "l.sqlite")) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == []


def test_a_ledger_is_never_overwritten(tmp_path: Path) -> None:
    FileLedger(tmp_path / "l.sqlite").close()
    with pytest.raises(FileExistsError, match="exists already"):
        FileLedger(tmp_path / "l.sqlite")


def test_the_digest_sees_the_last_bit_of_a_float(tmp_path: Path) -> None:
    digests = set()
    for name, at_s in (("a", 0.1), ("b", 0.1), ("c", 0.1 + 2**-56)):
        with FileLedger(tmp_path / name) as ledger:
            ledger.add("evals", {**EVAL, "at_s": at_s})
            digests.add(ledger.digest())
    assert len(digests) == 2


def test_readers_cannot_write(tmp_path: Path) -> None:
    FileLedger(tmp_path / "l.sqlite").close()
    with LedgerReader(tmp_path / "l.sqlite").connect() as db, pytest.raises(sqlite3.Error, match="readonly"):
        db.execute("DROP TABLE payloads")
    assert table(tmp_path / "l.sqlite", "payloads") == []


def test_rows_in_memory_are_those_of_a_file(tmp_path: Path) -> None:
    """Also what SQLite changes on its way in: whole numbers in real columns, NaN, truth values."""
    odd: list[dict[str, Any]] = [
        EVAL, {**EVAL, "at_s": 0}, {**EVAL, "loss": float("nan")}, {**EVAL, "loss": float("inf")},
        {**EVAL, "round": True, "at_s": -0.0},
    ]  # fmt: skip
    limit = {"task": "1.0", "seq": 3, "asked_s": 1, "tasks": 5, "deadline_s": None, "enough": 2}
    rows = MemoryLedger()
    with FileLedger(tmp_path / "l.sqlite") as ledger:
        for book in (rows, ledger):
            assert book.last("evals", "at_s") is None
            assert [book.add("evals", row) for row in odd] == [0, 1, 2, 3, 4]
            assert book.add("limits", limit) == 0
        for table, columns in TABLES.items():
            assert repr(rows.tuples(table, list(columns))) == repr(ledger.tuples(table, list(columns)))
        assert repr(rows.rows("evals")) == repr(ledger.rows("evals"))
        assert (rows.last("evals", "round"), ledger.last("evals", "round")) == (1, 1)
        assert rows.digest() == ledger.digest()
    with pytest.raises(ValueError, match="no table 'eval'"):
        rows.add("eval", EVAL)


def test_a_table_without_rows_leaves_no_mark_in_the_digest() -> None:
    assert MemoryLedger().digest() == hashlib.sha256().hexdigest()


def test_what_the_air_offered_is_no_part_of_the_digest() -> None:
    """It follows from the scenario; a run of before there were such tables keeps its digest in a replay."""
    rows, same = MemoryLedger(), MemoryLedger()
    rows.add("stations", {"name": "a", "x_m": 0.0, "y_m": float("nan")})
    assert rows.rows("stations") == [{"name": "a", "x_m": 0.0, "y_m": None}]
    for book in (rows, same):
        book.add("evals", EVAL)
    assert rows.digest() == same.digest()


def test_tuples_of_a_closed_ledger_can_be_chosen(tmp_path: Path) -> None:
    with FileLedger(tmp_path / "l.sqlite") as ledger:
        for number in range(4):
            ledger.add("payloads", {**PAYLOAD, "transfer": number})
    found = LedgerReader(tmp_path / "l.sqlite").tuples("payloads", ("kind", "transfer"), "transfer > ?", (1,))
    assert list(found) == [("labels", 2), ("labels", 3)]


def test_a_commit_that_fails_loses_nothing(tmp_path: Path) -> None:
    """The disk is full, say: what was waiting still waits."""
    path = tmp_path / "l.sqlite"
    ledger = FileLedger(path)
    ledger.add("evals", EVAL)
    ledger.add("payloads", PAYLOAD)
    with largest_file(1000), pytest.raises(sqlite3.Error):
        ledger.commit()
    assert table(path, "evals") == []
    ledger.close()
    assert len(table(path, "payloads")) == len(table(path, "evals")) == 1
