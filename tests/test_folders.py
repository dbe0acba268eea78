"""Run folders when several begin at once: each has one owner, and nothing is written but by the owner."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from at_once import AT_ONCE, at_once
from worlds import scenario

from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.checkpoints import Begun
from slfac_sim.runs.folder import LATEST, make_folder, point_latest_to
from slfac_sim.runs.resume import prepare_resume, resume
from slfac_sim.runs.run import prepare, run


def test_folders_made_at_once_are_all_different(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for mark in ("run.log", "answer.json"):
        folders = at_once(lambda _, mark=mark: make_folder(None, "tiny", mark))
        assert len(set(folders)) == AT_ONCE
        assert all(folder.is_dir() for folder in folders)


@pytest.mark.parametrize("there", [False, True])
def test_of_all_who_ask_for_one_folder_one_has_it(tmp_path: Path, there: bool) -> None:
    for attempt in range(5):
        out = tmp_path / str(attempt)
        if there:
            out.mkdir()
        found = at_once(lambda _, out=out: make_folder(out, "tiny"))
        assert found.count(out) == 1
        refused = [one for one in found if one != out]
        assert {type(one) for one in refused} == {BadInput}
        assert str(refused[0]) == f"--out {out}: another process has begun in it; name a new folder"


def test_latest_is_there_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [make_folder(None, "tiny") for _ in range(AT_ONCE)]
    point_latest_to(folders[0])
    gone = []

    def work(number: int) -> None:
        for _ in range(50):
            point_latest_to(folders[number])
            gone.extend([number] if not LATEST.is_dir() else [])

    assert at_once(work) == [None] * AT_ONCE
    assert gone == []
    assert sorted(path.name for path in Path("runs").iterdir()) == ["latest", "tiny"]


def test_who_does_not_have_the_lock_writes_nothing(tmp_path: Path) -> None:
    """A second process that runs into a folder, or goes on with it, leaves it as the first one has it."""
    folder = tmp_path / "r"
    prepared = prepare(scenario(), folder, threads=1)
    seen: list[tuple[str, bytes]] = []

    def intrude(table: str, row: Any) -> None:
        if not seen:
            before = (folder / "checkpoints" / "begun.json").read_bytes()
            with pytest.raises(BadInput, match="still going on, in another process"):
                run(prepared, checkpoint_every=1)
            seen.append((table, before))
            assert (folder / "checkpoints" / "begun.json").read_bytes() == before

    assert run(prepared, intrude)["status"] == "finished"
    assert seen


def test_of_two_that_go_on_with_one_run_the_later_is_refused(tmp_path: Path) -> None:
    """Both have read the folder before either of them has its lock."""
    folder = tmp_path / "r"
    stop = KeyboardInterrupt()

    def interrupt(table: str, row: Any) -> None:
        raise stop

    run(prepare(scenario(), folder, threads=1), interrupt)
    first, second = prepare_resume(folder), prepare_resume(folder)
    summary = resume(first)
    ledger = (folder / "ledger.sqlite").read_bytes()
    with pytest.raises(BadInput, match="unfinished run"):
        resume(second)
    assert json.loads((folder / "summary.json").read_text()) == summary
    assert (folder / "ledger.sqlite").read_bytes() == ledger


def test_of_two_that_go_on_the_later_is_refused_when_the_first_was_cut_off_again(tmp_path: Path) -> None:
    folder = tmp_path / "r"

    def interrupt(table: str, row: Any) -> None:
        raise KeyboardInterrupt

    run(prepare(scenario(), folder, threads=1), interrupt)
    first, second = prepare_resume(folder), prepare_resume(folder)
    resume(first, interrupt)
    assert Begun.read(folder).resumed == 1
    with pytest.raises(BadInput, match="another process has gone on with it"):
        resume(second)


@pytest.mark.slow
def test_eight_processes_begin_at_once(tmp_path: Path) -> None:
    code = (
        "import sys, time; from slfac_sim.runs.folder import make_folder; print('ready', flush=True);"
        "sys.stdin.readline(); print(make_folder(None, 'tiny'))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(AT_ONCE)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    folders = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert len(folders) == AT_ONCE
    assert all((tmp_path / folder).is_dir() for folder in folders)
