"""How commands end when they are asked to, or when the host fails them: status, sentence, what is kept."""

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from run_folders import largest_file
from worlds import TINY, scenario, table

from slfac_sim.cli import main
from slfac_sim.foundation.ending import Terminated, status_of, termination_raised
from slfac_sim.foundation.errors import BadInput, HostFailed
from slfac_sim.runs.resume import prepare_resume, resume
from slfac_sim.runs.run import prepare, run

ROUNDS = "protocol.rounds=4"


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("ending") / "undisturbed"
    return str(run(prepare(scenario(ROUNDS), folder, threads=1))["digest"])


@pytest.mark.parametrize(("where", "when"), [("rounds", 2), ("steps", 3)])  # in the root, in a device's task
def test_sigterm_ends_a_run_as_ctrl_c_does(
    where: str,
    when: int,
    tmp_path: Path,
    digest: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def on_note(self: Any, table: str, row: Any) -> None:
        if table == where and row["round"] == when:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("slfac_sim.progress.run.RunProgress.on_note", on_note)
    out = tmp_path / "r"
    assert main(["run", str(TINY), ROUNDS, "--threads", "1", "--out", str(out)]) == 143
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert capsys.readouterr().err.splitlines()[-1] == "terminated"
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["status"], summary["rounds"]) == ("interrupted", 2)
    assert summary["reason"] == "by SIGTERM; what was recorded until then is kept"
    assert "interrupted (by SIGTERM;" in (out / "run.log").read_text().splitlines()[-1]
    assert len(table(out / "ledger.sqlite", "rounds")) == 2
    assert resume(prepare_resume(out))["digest"] == digest


def test_sigterm_before_a_run_has_begun_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slfac_sim.runs.opening.build", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    assert main(["run", str(TINY), "--quiet", "--out", str(tmp_path / "r")]) == 143
    assert list(tmp_path.iterdir()) == []


def test_a_second_sigterm_acts_at_once(tmp_path: Path) -> None:
    def on_note(table: str, row: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        pytest.fail("still here")

    with termination_raised(), pytest.raises(Terminated):
        run(prepare(scenario(), tmp_path / "r", threads=1), on_note)


@pytest.mark.parametrize("nbytes", [1_000, 20_000, 90_000, 110_000, 130_000])
def test_a_disk_that_takes_no_more_ends_a_run_which_can_be_resumed(
    tmp_path: Path, nbytes: int, digest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r"
    with largest_file(nbytes):
        assert main(["run", str(TINY), ROUNDS, "--threads", "1", "--quiet", "--out", str(out)]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"{out}: " in told
    assert "Traceback" not in told
    assert not (out / "summary.json").exists()
    assert ("`resume` goes on with it" in told) == (out / "scenario.yaml").is_file() == (nbytes > 1_000)
    if nbytes > 1_000:
        assert "Traceback" in (out / "run.log").read_text()
        assert resume(prepare_resume(out))["digest"] == digest


def full(path: Path, *_: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def test_no_space_for_a_checkpoint(tmp_path: Path, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(scenario(ROUNDS), tmp_path / "r", threads=1)
    with monkeypatch.context() as patch:
        patch.setattr("slfac_sim.runs.checkpoints.write_tree", full)
        summary = run(prepared, checkpoint_every=1)
    assert summary["status"] == "failed"
    assert "No space left on device" in summary["reason"]
    assert resume(prepare_resume(tmp_path / "r"))["digest"] == digest


def test_no_space_for_the_summary(tmp_path: Path, digest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, text: str) -> None:
        full(path) if path.name == "summary.json" else path.write_text(text)

    prepared = prepare(scenario(ROUNDS), tmp_path / "r", threads=1)
    with monkeypatch.context() as patch:
        patch.setattr("slfac_sim.runs.folder.write_whole", write)
        with pytest.raises(HostFailed, match=r"No space left on device; what was recorded .* is kept"):
            run(prepared, checkpoint_every=1)
    assert resume(prepare_resume(tmp_path / "r"))["digest"] == digest


def test_a_folder_that_vanishes_while_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, aside = tmp_path / "r", tmp_path / "moved"
    prepared = prepare(scenario(), out, threads=1)

    def vanish(table: str, row: Any) -> None:
        if out.exists():
            out.rename(aside)

    def command() -> int:
        run(prepared, vanish)
        return 0

    assert status_of(command) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert str(out) in told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EIO, "Input/output error", "here"), "here: Input/output error"),
        (OSError("odd"), "the system refused: odd"),
        (sqlite3.DatabaseError("malformed"), "an SQLite file cannot be read or written (malformed)"),
        (MemoryError(), "not enough memory"),
        (OverflowError("too large"), "a number is too large to be worked with (too large)"),
        (RecursionError("depth"), "something is nested too deeply to be worked with"),
    ],
)
@pytest.mark.parametrize("command", ["run", "list", "analysis", "network"])
def test_what_a_host_can_raise_anywhere_is_a_sentence(
    error: Exception,
    told: str,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import slfac_sim.analysis.cli
    import slfac_sim.network.case.command

    mains = {
        "run": (main, ["run", "x"], "slfac_sim.cli.run.main"),
        "list": (main, ["list"], "slfac_sim.cli.list.main"),
        "analysis": (slfac_sim.analysis.cli.main, ["x"], "slfac_sim.analysis.cli.perform"),
        "network": (slfac_sim.network.case.command.main, ["x"], "slfac_sim.network.case.command.perform"),
    }
    call, words, place = mains[command]

    def fail(*_: Any) -> int:
        raise error

    monkeypatch.setattr(place, fail)
    assert call(words) == 1
    assert capsys.readouterr().err == f"{told}; --debug shows where\n"
    with pytest.raises(type(error)):
        call([*words, "--debug"])


def test_a_defect_keeps_its_traceback() -> None:
    def defect() -> int:
        raise KeyError("no input's fault")

    def refused() -> int:
        raise BadInput("no good")

    with pytest.raises(KeyError):
        status_of(defect)
    assert status_of(refused) == 2
    with pytest.raises(BadInput):
        status_of(refused, debug=True)


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [False, True])
def test_sigterm_ends_a_study_and_its_pool(tmp_path: Path, whole_group: bool) -> None:
    words = ["sweep", str(TINY), "protocol.rounds=100000", "--seeds", "2", "--workers", "2", "--threads", "1"]
    places = ["--out", str(tmp_path / "study"), "--cache", str(tmp_path / "cache")]
    command = [sys.executable, "-m", "slfac_sim", *words, *places]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while len(list((tmp_path / "cache").glob("*.part/ledger.sqlite"))) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    if whole_group:
        os.killpg(process.pid, signal.SIGTERM)
    else:
        process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "Traceback" not in told
    assert told.splitlines()[-1] == "terminated"
    assert not group_lives(process.pid)
    assert list((tmp_path / "study" / "points").iterdir()) == []


def group_lives(group: int) -> bool:
    """Say whether a process of `group` is still there after a moment."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["schema"], []])
def test_a_reader_who_has_seen_enough_is_no_error(words: list[str]) -> None:
    command = [sys.executable, "-m", "slfac_sim", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert "Broken" not in errors
