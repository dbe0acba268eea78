"""Resume: a run that was cut off anywhere ends in the digest of an undisturbed one, or says why it cannot."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from worlds import TINY, scenario

from slfac_sim.checkpointing import FOLDER
from slfac_sim.foundation.errors import BadInput
from slfac_sim.ledger import TABLES
from slfac_sim.ledger_continued import Differs
from slfac_sim.resuming import finished, prepare_resume, resume
from slfac_sim.run import prepare, run

ROUNDS = 4
SHORT = (f"protocol.rounds={ROUNDS}", "protocol.steps=2")
Heard = Callable[[str, Any], None]


class Death(BaseException):
    """A process that is gone: nothing of ours catches it."""


def dying_after(notes: int) -> Heard:
    """Return what kills the process when it hears its `notes`-th note."""
    left = notes

    def heard(table: str, row: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Death

    return heard


def undisturbed(folder: Path, *overrides: str) -> dict[str, Any]:
    return run(prepare(scenario(*SHORT, *overrides), folder, threads=1), figures=False)


def killed(folder: Path, notes: int, *overrides: str) -> None:
    """Run until so many notes were heard; as with a kill, nothing is written or closed after that."""
    prepared = prepare(scenario(*SHORT, *overrides), folder, threads=1)
    with pytest.raises(Death), pytest.MonkeyPatch.context() as patch:
        patch.setattr("slfac_sim.ledger.Ledger.close", lambda ledger: ledger._db.close())
        patch.setattr("slfac_sim.ledger_continued.Continued.close", lambda ledger: ledger._ledger._db.close())
        run(prepared, dying_after(notes), figures=False, checkpoint_every=1)


def resumed(folder: Path, on_note: Heard = lambda table, row: None) -> dict[str, Any]:
    return resume(prepare_resume(folder), on_note)


def rows(folder: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db:
        return {table: db.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in TABLES}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume") / "whole"
    undisturbed(folder)
    return folder


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed in its third round; not to be changed."""
    folder = tmp_path_factory.mktemp("resume") / "cut"
    killed(folder, 30)
    return folder


@pytest.fixture
def copy(cut: Path, tmp_path: Path) -> Path:
    return shutil.copytree(cut, tmp_path / "copy")


def test_a_killed_run_has_no_summary_and_whole_rounds(cut: Path) -> None:
    assert not finished(cut)
    assert not (cut / "summary.json").exists()
    assert len(rows(cut)["rounds"]) == 2
    assert sorted(path.name for path in (cut / FOLDER).iterdir()) == [
        "begun.json",
        "round_000001.checkpoint",
        "round_000002.checkpoint",
    ]


def test_a_resumed_run_equals_the_undisturbed_one(whole: Path, copy: Path) -> None:
    """Every row of every table, the summary but for what the host took, and no trace of the interruption."""
    summary = resumed(copy)
    expected = json.loads((whole / "summary.json").read_text())
    assert {**summary, "host": 0} == {**expected, "host": 0, "resumed": 1}
    assert rows(copy) == rows(whole)
    assert finished(copy)
    assert not (copy / FOLDER).exists()
    assert sorted(path.name for path in copy.iterdir()) == sorted(path.name for path in whole.iterdir())
    lines = [line for line in (copy / "run.log").read_text().splitlines() if "accuracy" in line]
    assert len(lines) == ROUNDS + 1


@pytest.mark.parametrize("notes", [1, 2, 12, 13, 14, 24, 25, 37, 48, 49])
def test_killed_at_any_note(whole: Path, notes: int, tmp_path: Path) -> None:
    killed(tmp_path / "r", notes)
    assert resumed(tmp_path / "r")["digest"] == json.loads((whole / "summary.json").read_text())["digest"]
    assert rows(tmp_path / "r") == rows(whole)
