"""Reading run folders: what comes out of a good one, and the words said about a bad one."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import ACCURACY, fake_run

from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import load


def _said(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load(folder).curve()
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(folder), "RUN")


def test_curve_is_the_table_of_evaluations(tmp_path: Path) -> None:
    curve = load(fake_run(tmp_path / "run")).curve()
    np.testing.assert_array_equal(curve.round, np.arange(9))
    np.testing.assert_allclose(curve.simulated_s, 29.0 * np.arange(9))
    np.testing.assert_array_equal(curve.accuracy, ACCURACY)
    np.testing.assert_allclose(curve.accuracy_no_codec, np.array(ACCURACY) - 0.01)
    np.testing.assert_array_equal(curve.bytes_total, 121_000_000 * np.arange(9))


def test_table_columns_texts_numbers_and_nulls(tmp_path: Path) -> None:
    run = load(fake_run(tmp_path / "run"))
    table = run.table("transfers")
    assert table["src"] == ["d000", "d001"]
    np.testing.assert_array_equal(table["snr_db"], [12.5, np.nan])
    steps = run.table("steps")
    assert list(steps)[-3:] == ["samples", "loss", "accuracy"]
    assert not any(len(column) for column in steps.values())


def test_targets_ascend_and_keep_what_was_not_reached(tmp_path: Path) -> None:
    times = {"0.99": None, "0.8": 58.0}
    run = load(fake_run(tmp_path / "run", changes={"time_to_accuracy_s": times}))
    assert list(run.time_to_accuracy_s.items()) == [(0.8, 58.0), (0.99, None)]


@pytest.mark.parametrize("status", ["interrupted", "failed"])
def test_label_says_that_a_run_stopped_early(tmp_path: Path, status: str) -> None:
    run = load(fake_run(tmp_path / "run", label="raw fp32", changes={"status": status}))
    assert run.label == f"raw fp32 ({status})"


def test_link_to_the_latest_run_is_followed(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "100_devices" / "0001")
    (tmp_path / "latest").symlink_to(folder)
    assert load(tmp_path / "latest").folder == folder.resolve()


def test_reading_changes_nothing_and_needs_no_right_to_write(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run with spaces?#%")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    folder.chmod(0o555)
    try:
        load(folder).curve()
    finally:
        folder.chmod(0o755)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_ledger_of_a_run_that_still_writes_is_read_with_its_journal(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger:
        ledger.execute("PRAGMA journal_mode = WAL")
        with ledger:
            ledger.execute("INSERT INTO evals VALUES (9, 261.0, 0.981, 0.971, 0.02, 1089000000, '', 9)")
        assert load(folder).curve().accuracy[-1] == 0.981


def test_no_such_folder(tmp_path: Path) -> None:
    said = _said(tmp_path / "x")
    assert said.startswith("RUN: no such folder; expected the folder of a run, such as runs/latest")


def test_folder_without_a_run_names_one_inside(tmp_path: Path) -> None:
    words = "RUN: no summary.json in it; a run folder holds summary.json and ledger.sqlite"
    assert _said(tmp_path) == words
    fake_run(tmp_path / "0001")
    fake_run(tmp_path / "0002")
    assert _said(tmp_path) == f"{words}; did you mean RUN/0002?"


def test_folder_without_a_ledger(tmp_path: Path) -> None:
    (fake_run(tmp_path / "run") / "ledger.sqlite").unlink()
    assert _said(tmp_path / "run") == (
        "RUN: no ledger.sqlite in it; a run folder holds summary.json and ledger.sqlite"
    )


def test_truncated_summary(tmp_path: Path) -> None:
    summary = fake_run(tmp_path / "run") / "summary.json"
    summary.write_text('{"label": "raw')
    assert _said(tmp_path / "run") == (
        "RUN/summary.json: not JSON (Unterminated string starting at: line 1 column 11 (char 10)); "
        "expected the summary that a run wrote"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "done"}, "status: found 'done', expected one of finished, interrupted, failed"),
        ({"label": None}, "label: found None, expected a text"),
        ({"simulated_s": True}, "simulated_s: found True, expected a number"),
        ({"accuracy": {}}, "accuracy.final: missing, expected a number or null"),
        ({"bytes": 5}, "bytes.total: missing, expected a number"),
        ({"time_to_accuracy_s": [1]}, "time_to_accuracy_s: found [1], expected an object"),
        (
            {"time_to_accuracy_s": {"97": 1.0}},
            "time_to_accuracy_s: found target '97', expected a fraction such as '0.95'",
        ),
        (
            {"time_to_accuracy_s": {"0.97": "soon"}},
            "time_to_accuracy_s: 0.97: found 'soon', expected a number or null",
        ),
    ],
)
def test_damaged_summary(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    fake_run(tmp_path / "run", changes=changes)
    assert _said(tmp_path / "run") == f"RUN/summary.json: {words}"


def test_summary_that_is_no_object(tmp_path: Path) -> None:
    (fake_run(tmp_path / "run") / "summary.json").write_text(json.dumps([1]))
    assert _said(tmp_path / "run") == (
        "RUN/summary.json: found list, expected an object with the summary of a run"
    )


def test_ledger_that_is_no_sqlite_file(tmp_path: Path) -> None:
    (fake_run(tmp_path / "run") / "ledger.sqlite").write_bytes(b"not a data base, but long enough" * 99)
    assert _said(tmp_path / "run") == (
        "RUN/ledger.sqlite: cannot be read (file is not a database); expected the SQLite file of a run"
    )


def test_truncated_ledger(tmp_path: Path) -> None:
    ledger = fake_run(tmp_path / "run") / "ledger.sqlite"
    ledger.write_bytes(ledger.read_bytes()[:5000])
    assert _said(tmp_path / "run").startswith("RUN/ledger.sqlite: cannot be read (")


def test_ledger_without_the_table(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("DROP TABLE evals")
    assert (
        _said(folder)
        == "RUN/ledger.sqlite: no table 'evals' among computes, offers, payloads, rounds, steps, transfers"
    )


def test_table_without_the_column(tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run")
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("ALTER TABLE evals DROP COLUMN at_s")
    assert _said(folder) == (
        "RUN/ledger.sqlite: table evals has no column at_s; "
        "it has round, accuracy, accuracy_no_codec, loss, payload_bytes, task, seq"
    )
