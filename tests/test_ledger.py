"""The ledger: columns are checked, commits are whole, the digest sees every bit."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from slfac_sim.ledger import TABLES, Ledger, rows_of

PAYLOAD = {"transfer": 0, "kind": "labels", "bytes": 16, "value_count": 16, "sha256": "00"}
EVAL: dict[str, Any] = {
    "task": "", "seq": 0, "at_s": 0.1, "round": 0, "accuracy": 0.1, "loss": 2.3, "accuracy_no_codec": 0.1,
    "payload_bytes": 0,
}  # fmt: skip


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger:
        ledger.add("evals", EVAL)
        ledger.add("payloads", PAYLOAD)
    assert list(rows_of(tmp_path / "l.sqlite", "evals")) == [EVAL]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["l.sqlite"]  # the single file travels


def test_numbers_are_given_in_order(tmp_path: Path) -> None:
    row = dict.fromkeys(TABLES["computes"], 1)
    del row["id"]
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert [ledger.add("computes", row) for _ in range(3)] == [0, 1, 2]
        assert ledger.query("SELECT id FROM computes") == [(0,), (1,), (2,)]


def test_only_what_was_committed_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    ledger = Ledger(path)
    ledger.add("payloads", PAYLOAD)
    ledger.commit()
    ledger.add("payloads", PAYLOAD)
    assert len(list(rows_of(path, "payloads"))) == 1
    ledger.close()
    assert len(list(rows_of(path, "payloads"))) == 2


@pytest.mark.parametrize(
    ("table", "row", "message"),
    [
        ("payload", PAYLOAD, "no table 'payload' among transfers, payloads, computes"),
        ("payloads", {**PAYLOAD, "byte": 1}, "table payloads: missing or unknown columns byte"),
        ("payloads", {"transfer": 0}, "missing or unknown columns bytes, kind, sha256, value_count"),
    ],
)
def test_wrong_rows_are_refused(tmp_path: Path, table: str, row: dict[str, Any], message: str) -> None:
    with Ledger(tmp_path / "l.sqlite") as ledger, pytest.raises(ValueError, match=message):
        ledger.add(table, row)


def test_a_ledger_is_never_overwritten(tmp_path: Path) -> None:
    Ledger(tmp_path / "l.sqlite").close()
    with pytest.raises(FileExistsError, match="exists already"):
        Ledger(tmp_path / "l.sqlite")


def test_the_digest_sees_the_last_bit_of_a_float(tmp_path: Path) -> None:
    digests = set()
    for name, at_s in (("a", 0.1), ("b", 0.1), ("c", 0.1 + 2**-56)):
        with Ledger(tmp_path / name) as ledger:
            ledger.add("evals", {**EVAL, "at_s": at_s})
            digests.add(ledger.digest())
    assert len(digests) == 2


def test_readers_cannot_write(tmp_path: Path) -> None:
    Ledger(tmp_path / "l.sqlite").close()
    with pytest.raises(sqlite3.Error):
        next(rows_of(tmp_path / "l.sqlite", "payloads; DROP TABLE payloads"))
    assert list(rows_of(tmp_path / "l.sqlite", "payloads")) == []
