"""A report of a damaged run: what is damaged is said, the rest is shown, whatever the damage."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slfac_sim.analysis.report.blocks import Section
from slfac_sim.analysis.report.damaged import UNFINISHED, run_in
from slfac_sim.analysis.report.make import report_of
from slfac_sim.analysis.report.page import sections
from slfac_sim.analysis.report.run import ORDER
from slfac_sim.analysis.rows import forget
from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger.folder import ABOUT, BEGUN, LEDGER, SCENARIO, SUMMARY
from slfac_sim.ledger.tables import DIGESTED, TABLES

TINY = Path(__file__).parent / "tiny.yaml"
ODD = (None, -1, 0, 3, 1e300, -1e-300, "x", "", "d999", b"\xff")
ODD_JSON = (None, -1, 1e300, "x", [], {}, {"x": 1}, [None], True)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run, with the laws watched."""
    folder = tmp_path_factory.mktemp("sound") / "run"
    settings = ["evaluation.targets=[0.2, 0.9]", "network.radius=100 m"]
    assert main(["run", str(TINY), *settings, "--strict", "--quiet", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def damaged(sound: Path, tmp_path: Path) -> Path:
    return _copied(sound, tmp_path / "run")


def _copied(sound: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)
    forget()
    return folder


def parts_of(folder: Path) -> tuple[list[str], dict[str, Section]]:
    """Return what is told of the folder, and the sections, by name."""
    forget()
    run, damage = run_in(folder)
    return damage, {part.name: part for part in sections("slfac_sim.analysis.report.run", run)}


def told(damage: Sequence[str], parts: Mapping[str, Section]) -> str:
    """Return everything that is said of damage."""
    return "\n".join(filter(None, [*damage, *(part.damage for part in parts.values())]))


def change(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / LEDGER)) as ledger, ledger:
        for statement in statements:
            ledger.execute(statement)


def test_nothing_is_said_of_a_sound_run(sound: Path) -> None:
    assert told(*parts_of(sound)) == ""
    page = report_of(sound)
    assert 'class="damage">This part' not in page
    assert "What is missing or damaged" not in page


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "gone": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"\xff\xfe\x00 no such file" * 99),
    "half": _half,
}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", [SUMMARY, LEDGER, SCENARIO, ABOUT])
def test_each_file_in_turn(damaged: Path, name: str, how: str) -> None:
    """What is said names the file, and what does not need it is shown."""
    DAMAGES[how](damaged / name)
    damage, parts = parts_of(damaged)
    said = told(damage, parts)
    assert name in said
    assert "Error" not in said
    shown = {part for part, section in parts.items() if section.blocks}
    kept = {
        SUMMARY: {"answer", "scenario", "curves", "bytes", "spectra", "energy"},
        LEDGER: {"answer", "scenario", "versions", "reproduce"},
        SCENARIO: set(ORDER) - {"scenario"},
        ABOUT: set(ORDER),
    }
    assert kept[name] <= shown
    page = report_of(damaged)
    assert name in page
    assert str(damaged.parent) not in page


@pytest.mark.parametrize("kept", [SUMMARY, LEDGER, SCENARIO])
def test_one_file_alone(damaged: Path, kept: str) -> None:
    lost = {SUMMARY, LEDGER, SCENARIO, ABOUT} - {kept}
    for name in lost:
        (damaged / name).unlink()
    page = report_of(damaged)
    assert all(name in page for name in lost)


def test_figures_of_the_ledger_stand_in_for_a_lost_summary(damaged: Path) -> None:
    before = json.loads((damaged / SUMMARY).read_text())
    (damaged / SUMMARY).unlink()
    run, _ = run_in(damaged)
    for key in ("scenario", "simulated_s", "rounds", "devices", "accuracy", "seed", "time_to_accuracy_s"):
        assert run.summary[key] == before[key], key
    assert run.summary["bytes"]["total"] == before["bytes"]["total"]
    assert run.summary["status"] == "unknown"
    with pytest.raises(BadInput, match=r"summary\.json: no 'digest' in it"):
        run.summary["digest"]


def test_a_run_that_is_not_finished(damaged: Path) -> None:
    (damaged / SUMMARY).unlink()
    (damaged / BEGUN).parent.mkdir()
    (damaged / BEGUN).write_text("{}")
    run, (said,) = run_in(damaged)
    assert run.summary["status"] == UNFINISHED
    assert "the run is not finished: it goes on, or was killed and can be resumed" in said
    assert not {name for name, part in parts_of(damaged)[1].items() if part.damage}
    page = report_of(damaged)
    assert "it goes on, or was killed; what follows is of the rounds" in page
    assert str(damaged.parent) not in page


@pytest.mark.parametrize("table", TABLES)
def test_each_table_in_turn(damaged: Path, table: str) -> None:
    change(damaged, f"DROP TABLE {table}")
    damage, parts = parts_of(damaged)
    assert any(f" of {table}: " in line for line in damage)
    assert ("altered since the run" in told(damage, parts)) == (table in DIGESTED and table not in _EMPTY)


_EMPTY = {"limits", "withdrawals", "outages", "misses", "staleness", "bottlenecks", "set_ups"}


def test_a_run_of_another_version(damaged: Path) -> None:
    """Tables and columns that it did not write yet are told; the rest is shown."""
    change(damaged, "ALTER TABLE links DROP COLUMN access", "DROP TABLE energy", "DROP TABLE parts")
    (damaged / ABOUT).unlink()
    damage, parts = parts_of(damaged)
    assert "links, parts, energy" in damage[0]
    assert "of another version" in damage[0]
    assert ABOUT in damage[1]
    assert not {name for name, part in parts.items() if part.damage} - {"invariants"}
    assert "energy" not in parts or not parts["energy"].damage


def test_where_the_folder_lies_is_not_told(damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is the same, whatever its folder was called on the command line."""
    (damaged / ABOUT).unlink()
    change(damaged, "DROP TABLE links")
    page = report_of(damaged)
    assert str(damaged.parent) not in page
    for here, called in ((damaged, "."), (damaged.parent, damaged.name)):
        monkeypatch.chdir(here)
        assert report_of(Path(called)) == page


def test_nothing_of_a_run_is_refused(tmp_path: Path) -> None:
    gone = "no such folder; expected the folder of a run, a study or an answer, such as"
    for folder, words in ((tmp_path, "no summary.json in it"), (tmp_path / "none", gone)):
        with pytest.raises(BadInput, match=words):
            report_of(folder)


def places_in(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, inner in tree.items() if isinstance(tree, dict) else ():
        yield (*path, key)
        yield from places_in(inner, (*path, key))


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_forged_summary_never_ends_the_report(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = _copied(sound, tmp_path_factory.getbasetemp() / "forged_summary")
    summary = json.loads((folder / SUMMARY).read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(list(places_in(summary))))
        inner = summary
        for key in above:
            inner = inner[key]
        if data.draw(st.booleans()):
            del inner[last]
        else:
            inner[last] = data.draw(st.sampled_from(ODD_JSON))
    (folder / SUMMARY).write_text(json.dumps(summary))
    _, parts = parts_of(folder)
    assert {"curves", "bytes", "energy"} <= {name for name, part in parts.items() if part.blocks}


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_forged_rows_never_end_the_report(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever a cell is changed to, the page is made, and of what happened it says that it was altered."""
    folder = _copied(sound, tmp_path_factory.getbasetemp() / "forged_rows")
    table = data.draw(st.sampled_from([name for name in TABLES if name not in _EMPTY]))
    column = data.draw(st.sampled_from([name for name in TABLES[table] if name != "id"]))
    value = data.draw(st.sampled_from(ODD))
    some = data.draw(st.sampled_from(["", " WHERE rowid % 2 = 0", " WHERE rowid = 1"]))
    before = _digested(folder)
    with closing(sqlite3.connect(folder / LEDGER)) as ledger, ledger:
        ledger.execute(f"UPDATE {table} SET {column} = ?{some}", (value,))
    damage, parts = parts_of(folder)
    assert {"answer", "scenario", "versions", "reproduce"} <= parts.keys()
    if _digested(folder) != before:
        assert LEDGER in told(damage, parts)


def _digested(folder: Path) -> str:
    from slfac_sim.ledger.reader import LedgerReader

    return LedgerReader(folder / LEDGER).digest()
