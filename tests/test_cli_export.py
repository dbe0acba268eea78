"""`export` and `analysis.load`: the tables of a run in other forms, value for value."""

import csv
import importlib.util
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import ACCURACY, fake_run
from study_folders import fake_study

from slfac_sim import analysis
from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.export import export
from slfac_sim.ledger.store import FileLedger
from slfac_sim.ledger.tables import TABLES as OURS

TABLES = ["evals", "steps", "transfers"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder whose ledger has a full table, an empty one, and one with a gap in it."""
    folder = fake_run(tmp_path / "run")
    (folder / "ledger.sqlite").unlink()
    rows = [(i, 29.0 * i, accuracy, 121_000_000 * i) for i, accuracy in enumerate(ACCURACY)]
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("CREATE TABLE evals (round INTEGER, at_s REAL, accuracy REAL, payload_bytes INTEGER)")
        ledger.executemany("INSERT INTO evals VALUES (?, ?, ?, ?)", rows)
        ledger.execute("CREATE TABLE transfers (id INTEGER PRIMARY KEY, src TEXT, snr_db REAL)")
        ledger.executemany("INSERT INTO transfers VALUES (?, ?, ?)", [(0, "d000", 12.5), (1, "d001", None)])
        ledger.execute("CREATE TABLE steps (device TEXT, loss REAL)")
    return folder


def test_csv_holds_every_table_and_every_digit(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run)]) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert files == [run / "tables" / f"{name}.csv" for name in TABLES]
    with closing(sqlite3.connect(run / "ledger.sqlite")) as ledger:
        wanted = ledger.execute("SELECT * FROM evals").fetchall()
    with files[0].open(newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["round", "at_s", "accuracy", "payload_bytes"]
    assert [tuple(float(cell) for cell in row) for row in rows] == wanted
    assert files[1].read_text() == "device,loss\n"
    assert files[2].read_text() == "id,src,snr_db\n0,d000,12.5\n1,d001,\n"


def test_parquet_holds_the_same(run: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    files = export(run, "parquet", tmp_path / "p")
    assert [path.name for path in files] == [f"{name}.parquet" for name in TABLES]
    evals, steps, transfers = (parquet.read_table(path) for path in files)
    assert evals.column("accuracy").to_pylist() == list(ACCURACY)
    assert str(evals.schema.field("payload_bytes").type) == "int64"
    assert steps.num_rows == 0
    assert transfers.column("snr_db").to_pylist() == [12.5, None]
    assert transfers.column("src").to_pylist() == ["d000", "d001"]


def test_every_type_of_the_ledger_has_a_parquet_type(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    folder = fake_run(tmp_path / "run")
    (folder / "ledger.sqlite").unlink()
    with FileLedger(folder / "ledger.sqlite") as ledger:
        ledger.add(
            "limits", {"task": "", "seq": 0, "asked_s": 0.0, "tasks": 3, "deadline_s": None, "enough": None}
        )
    assert len(export(folder, "parquet", tmp_path / "p")) == len(OURS)


def test_without_pyarrow_the_extra_is_named(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["export", str(run), "--format", "parquet"]) == 2
    assert 'pip install "slfac_sim[storage]"' in capsys.readouterr().err
    assert not (run / "tables").exists()


def test_what_cannot_be_exported_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        export(tmp_path / "nowhere", "csv")
    with pytest.raises(BadInput, match="expected one of csv, parquet"):
        export(run, "xlsx")
    with closing(sqlite3.connect(run / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("ALTER TABLE steps ADD COLUMN thing")
    if importlib.util.find_spec("pyarrow"):
        with pytest.raises(BadInput, match=r"steps\.thing: has type '', expected INTEGER, REAL, TEXT"):
            export(run, "parquet")
    (run / "ledger.sqlite").write_bytes(b"not a ledger, whatever its name says")
    with pytest.raises(BadInput, match="cannot be read"):
        export(run, "csv")


NOT_OURS = ("../../escaped", "/tmp/escaped", "odd", "evals.", "EVALS ", "a/b", "sqlite_x", "..")


def test_tables_that_no_run_has_are_left_out_and_nothing_is_written_elsewhere(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(run / "ledger.sqlite")) as ledger, ledger:
        names = [name for name in NOT_OURS if not name.startswith("sqlite_")]
        for name in names:
            ledger.execute(f'CREATE TABLE "{name}" (thing TEXT)')
    before = {path for path in tmp_path.rglob("*") if run / "tables" not in path.parents}
    assert main(["export", str(run)]) == 0
    told = capsys.readouterr()
    assert [Path(line).name for line in told.out.splitlines()] == [f"{name}.csv" for name in TABLES]
    assert f"left out: {len(names)} tables that no run has\n" in told.err
    assert {path for path in tmp_path.rglob("*") if run / "tables" not in path.parents} == before | {
        run / "tables"
    }
    assert sorted(path.name for path in (run / "tables").iterdir()) == [f"{name}.csv" for name in TABLES]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_users_file_is_not_written_over_unasked(
    run: Path, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / f"steps.{form}").write_text("years of work")
    words = ["export", str(run), "--format", form, "--out", str(mine)]
    assert main(words) == 2
    assert f"{mine / f'steps.{form}'}: exists already" in capsys.readouterr().err
    assert [path.name for path in mine.iterdir()] == [f"steps.{form}"]
    assert (mine / f"steps.{form}").read_text() == "years of work"
    assert main([*words, "--overwrite"]) == 0
    assert len(list(mine.iterdir())) == len(TABLES)


def test_an_export_that_fails_leaves_nothing(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with closing(sqlite3.connect(run / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("UPDATE transfers SET src = CAST(x'ff' AS TEXT)")  # no UTF-8, in the last table
    assert main(["export", str(run), "--out", str(out)]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert list(out.iterdir()) == []


def test_a_ledger_without_a_table_of_a_run_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "ledger.sqlite").unlink()
    with closing(sqlite3.connect(run / "ledger.sqlite")) as ledger, ledger:
        ledger.execute("CREATE TABLE odd (thing)")
    assert main(["export", str(run)]) == 2
    assert "no table of a run in it" in capsys.readouterr().err
    assert not (run / "tables").exists()


@pytest.mark.parametrize("value", ["'text'", "x'00ff'", "9e999", "1 << 62"])
def test_odd_cells_are_exported_or_refused_in_a_sentence(run: Path, value: str, tmp_path: Path) -> None:
    with closing(sqlite3.connect(run / "ledger.sqlite")) as ledger, ledger:
        ledger.execute(f"UPDATE evals SET payload_bytes = {value}, at_s = {value}")
    for form in ["csv", *(["parquet"] if importlib.util.find_spec("pyarrow") else [])]:
        assert main(["export", str(run), "--format", form, "--out", str(tmp_path / form)]) in (0, 2)


def test_analysis_load_gives_summary_and_columns(run: Path) -> None:
    loaded = analysis.load(run)
    assert loaded.summary["status"] == "finished"
    assert loaded.tables == tuple(TABLES)
    assert np.array_equal(loaded.columns("evals")["accuracy"], ACCURACY)
    with pytest.raises(BadInput, match="no table 'eval' among evals, steps, transfers"):
        loaded.columns("eval")


def test_analysis_load_gives_data_frames(run: Path) -> None:
    pytest.importorskip("pandas")
    frame = analysis.load(str(run)).frame("transfers")
    assert list(frame.columns) == ["id", "src", "snr_db"]
    assert frame.shape == (2, 3)
    assert frame.snr_db.isna().tolist() == [False, True]


def test_analysis_load_of_a_study_has_points_and_curves(tmp_path: Path) -> None:
    """One failed point: it has no figures and no curve, and is not dropped."""

    def fail_one(point: dict[str, Any]) -> None:
        if point["key"].endswith("00"):
            kept = ("key", "training", "axes", "values", "seed", "air_draw", "label")
            rest = {name: point[name] for name in kept}
            point.clear()
            point.update({**rest, "status": "failed", "reason": "no coverage"})

    study = analysis.load(fake_study(tmp_path / "study", seeds=2, rounds=4, change=fail_one))
    assert study.tables == ("points", "curves")
    points, curves = study.columns("points"), study.columns("curves")
    assert len(points["key"]) == 12
    assert sum(status == "failed" for status in points["status"]) == 1
    failed = list(points["status"]).index("failed")
    assert np.isnan(points["simulated_s"][failed])
    assert np.isnan(points["bytes.total"][failed])
    assert np.isnan(points["accuracy"][failed])
    assert np.isnan(points["time_to_accuracy_s.0.8"][failed])
    finished = [i for i in range(12) if i != failed]
    assert (np.asarray(points["bytes.total"])[finished] > 0).all()
    assert set(curves["key"]) == set(points["key"]) - {points["key"][failed]}
    assert len(curves["at_s"]) % 11 == 0
    assert set(curves["codec"]) == {"raw", "slfac"}


def test_the_points_of_a_study_have_axes_accuracies_and_times_first(tmp_path: Path) -> None:
    study = analysis.load(fake_study(tmp_path / "study", seeds=1))
    points, curves = study.columns("points"), study.columns("curves")
    assert list(points)[:9] == [
        *("network.bandwidth", "codec", "seed_learning", "seed_air", "values.network.bandwidth"),
        *("accuracy", "accuracy_best", "time_to_accuracy_s.0.8", "time_to_accuracy_s.0.85"),
    ]
    assert list(points["values.network.bandwidth"]) == [1e6, 1e6, 1e7, 1e7, 1e8, 1e8]
    assert "values.codec" not in points
    for i, key in enumerate(points["key"]):
        mine = [(curves["at_s"][j], curves["accuracy"][j]) for j, of in enumerate(curves["key"]) if of == key]
        assert points["accuracy"][i] == mine[-1][1]
        assert points["accuracy_best"][i] == max(accuracy for _, accuracy in mine)
        reached = [at_s for at_s, accuracy in mine if accuracy >= 0.85]
        np.testing.assert_equal(points["time_to_accuracy_s.0.85"][i], min(reached, default=np.nan))


def test_without_pandas_the_extra_is_named(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(BadInput, match=r'pip install "slfac_sim\[pandas\]", or take columns\(\)'):
        analysis.load(run).frame("evals")
