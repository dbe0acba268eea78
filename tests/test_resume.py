"""Resume: a run that was cut off anywhere ends in the digest of an undisturbed one, or says why it cannot."""

import dataclasses
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds import TINY, scenario

from slfac_sim.cli import main
from slfac_sim.codecs import Payload, Sender
from slfac_sim.codecs.uniform import Uniform
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds
from slfac_sim.learning.datasets.synthetic import Synthetic
from slfac_sim.ledger.continued import Differs
from slfac_sim.ledger.store import FileLedger
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.checkpoints import FOLDER
from slfac_sim.runs.resume import finished, prepare_resume, resume
from slfac_sim.runs.run import prepare, run

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
    return run(prepare(scenario(*SHORT, *overrides), folder, threads=1))


def left_open(ledger: FileLedger, kept: list[FileLedger] = []) -> None:  # noqa: B006 - it is meant to last
    """Close nothing; Python would warn of an open ledger that it throws away."""
    kept.append(ledger)


@contextmanager
def death() -> Iterator[None]:
    """Expect a death within; as with a kill, nothing is written or closed properly after it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slfac_sim.ledger.store.FileLedger.close", left_open)
        with pytest.raises(Death):
            yield


def killed(folder: Path, notes: int, *overrides: str) -> None:
    """Run until so many notes were heard."""
    prepared = prepare(scenario(*SHORT, *overrides), folder, threads=1)
    with death():
        run(prepared, dying_after(notes), checkpoint_every=1)


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


@pytest.mark.parametrize("notes", [1, 12, 13, 25, 49])
def test_killed_at_any_note(whole: Path, notes: int, tmp_path: Path) -> None:
    killed(tmp_path / "r", notes)
    assert resumed(tmp_path / "r")["digest"] == json.loads((whole / "summary.json").read_text())["digest"]
    assert rows(tmp_path / "r") == rows(whole)


WIRES = (
    "{kind: topology, access: {a: {network: {kind: cell}, devices: 3}, b: {network: wifi, devices: 2}},"
    " links: {la: {between: [a, server], capacity: 2 Mbit/s, latency: 1 ms, loss: 0.1},"
    " lb: {between: [b, server], capacity: 1 Mbit/s, latency: 1 ms}}, transport: {kind: udp, loss: 0.1}}"
)
STEERED = [
    (f"network={WIRES}", "protocol.participation.deadline=200 ms"),
    ("protocol.participation.deadline=100 ms",),
    ("protocol.participation.select={kind: random, count: 4}", "protocol.participation.enough=2"),
    ("devices.availability={kind: on_off, mean_on: 100 ms, mean_off: 50 ms}", "codec=aq_sgd"),
    ("server.availability={kind: on_off, mean_on: 100 ms, mean_off: 20 ms}",),
    ("network.transport={kind: udp, loss: 0.15}", "network.jitter={mean: 5 ms, spread: 5 ms}"),
    ("devices.slowdowns=[{kind: jitter}, {kind: thermal}]", "learning.optimiser=adam", "codec=uniform"),
]


@pytest.mark.parametrize("overrides", STEERED, ids=lambda overrides: overrides[0].split("=")[0])
def test_what_timing_cut_short_is_cut_short_again(overrides: tuple[str, ...], tmp_path: Path) -> None:
    """Deadlines, outages, withdrawn offers and failed tasks are lived through again, to every row."""
    summary = undisturbed(tmp_path / "whole", *overrides)
    assert summary["status"] == "finished", summary["reason"]
    there = rows(tmp_path / "whole")
    notes = sum(len(there[table]) for table in ("steps", "rounds", "evals", "misses"))
    killed(tmp_path / "r", 3 * notes // 4, *overrides)
    resumable = prepare_resume(tmp_path / "r")
    assert resumable.rounds >= 1
    assert resume(resumable)["digest"] == summary["digest"]
    assert rows(tmp_path / "r") == there


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds("slfac_sim.protocols"))
def test_every_protocol_is_resumed(kind: str, tmp_path: Path) -> None:
    """Nothing that lasts from round to round is forgotten: moments, counters, places in the data, memories.

    A protocol without checkpoints begins again.
    """
    learns = (
        "devices.count=3",
        "learning.optimiser=adam",
        "codec={uplink: {kind: aq_sgd}, downlink: {kind: uniform}}",
    )
    overrides = (f"protocol={{kind: {kind}, rounds: 3, steps: 1}}", *learns)
    prepared = prepare(scenario(*overrides), tmp_path / "whole", threads=1)
    summary = run(prepared, strict=True)
    assert summary["status"] == "finished", summary["reason"]
    there = rows(tmp_path / "whole")
    notes = sum(len(there[table]) for table in ("steps", "rounds", "evals"))
    prepared = prepare(scenario(*overrides), tmp_path / "r", threads=1)
    with death():
        run(prepared, dying_after(notes - 1), checkpoint_every=1)
    resumed(tmp_path / "r")
    assert rows(tmp_path / "r") == there


def test_resumed_again_and_again(whole: Path, tmp_path: Path) -> None:
    """Killed in every round of the resumed run too: while the record is played, and while it learns."""
    folder, resumes = tmp_path / "r", 0
    killed(folder, 16)
    for notes in (5, 20, 30, 45):
        resumable = prepare_resume(folder)
        with death():
            resume(resumable, dying_after(notes))
        resumes += 1
        with closing(sqlite3.connect(folder / "ledger.sqlite")) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    summary = resumed(folder)
    assert summary["resumed"] == resumes + 1
    assert rows(folder) == rows(whole)


def test_an_interrupted_run_is_resumed(whole: Path, tmp_path: Path) -> None:
    """Ctrl-C leaves a summary and rows of half a round, which are not to be there in the end."""

    def interrupt(table: str, row: Any) -> None:
        if table == "steps" and row["round"] == 3:
            raise KeyboardInterrupt

    prepared = prepare(scenario(*SHORT), tmp_path / "r", threads=1)
    summary = run(prepared, interrupt, checkpoint_every=1)
    assert summary["status"] == "interrupted"
    assert len(rows(tmp_path / "r")["steps"]) == 21
    (tmp_path / "r" / "figures").mkdir()  # of the run as it was interrupted
    again = resume(prepare_resume(tmp_path / "r"), interrupt)  # before it has learnt anything
    assert (again["status"], again["rounds"]) == ("interrupted", 2)
    assert not (tmp_path / "r" / "figures").exists()
    assert resumed(tmp_path / "r")["digest"] == json.loads((whole / "summary.json").read_text())["digest"]
    assert rows(tmp_path / "r") == rows(whole)


def test_an_interruption_while_the_record_is_played_loses_nothing(copy: Path) -> None:
    before = rows(copy)

    def interrupt(table: str, row: Any) -> None:
        raise KeyboardInterrupt

    assert resume(prepare_resume(copy), interrupt)["status"] == "interrupted"
    assert rows(copy) == before


@pytest.mark.parametrize("damaged", [1, 2])
def test_damaged_checkpoints_cost_rounds_and_no_digest(whole: Path, copy: Path, damaged: int) -> None:
    """The one before is taken, and without any the run begins again; both are said."""
    for path in sorted((copy / FOLDER).glob("*.checkpoint"))[-damaged:]:
        path.write_bytes(path.read_bytes()[:-1000])
    resumable = prepare_resume(copy)
    assert resumable.rounds == 2 - damaged
    assert len(resumable.remarks) == damaged
    assert "its checksum is another" in resumable.remarks[0]
    resume(resumable)
    assert rows(copy) == rows(whole)


@pytest.mark.parametrize("size", [0, 100, 4096, 20000])
def test_a_truncated_ledger_costs_everything_and_no_digest(whole: Path, copy: Path, size: int) -> None:
    with open(copy / "ledger.sqlite", "r+b") as file:
        file.truncate(size)
    resumable = prepare_resume(copy)
    assert resumable.rounds == 0
    assert "ledger.sqlite: " in resumable.remarks[0]
    resume(resumable)
    assert rows(copy) == rows(whole)


def test_a_ledger_that_tells_otherwise_is_not_continued(copy: Path) -> None:
    """The record is played and compared: an edited row, or another simulator, cannot slip in."""
    with closing(sqlite3.connect(copy / "ledger.sqlite")) as db, db:
        db.execute("UPDATE transfers SET end_s = end_s + 1e-9 WHERE id = 7")
    before = rows(copy)
    with pytest.raises(Differs, match=r"ledger\.sqlite: table transfers, row 7, column end_s: .* on record"):
        resumed(copy)
    assert rows(copy) == before


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("scenario.yaml", "rounds: 4", "rounds: 5", "settings: .* then, .* now"),
        ("scenario.yaml", "bandwidth: 5000000", "bandwidth: 6000000", r"\(settings: \w+ then, \w+ now\)"),
        (f"{FOLDER}/begun.json", '"torch": "', '"torch": "0.', "torch: 0.* then, .* now"),
        (f"{FOLDER}/begun.json", '"source files": "', '"source files": "0', "source files: 0.* then, .* now"),
        (f"{FOLDER}/begun.json", "{", "", "cannot be read"),
    ],
)
def test_what_would_not_be_the_same_run_is_refused(
    copy: Path, name: str, old: str, new: str, reason: str
) -> None:
    edit(copy, name, old, new)
    before = rows(copy)
    with pytest.raises(BadInput, match=reason):
        prepare_resume(copy)
    assert rows(copy) == before


def test_data_that_are_gone_or_others_are_named_and_nothing_else(tmp_path: Path) -> None:
    mine = tmp_path / "my.npz"
    images = np.random.default_rng(1).integers(0, 256, (60, 12, 12), np.uint8)
    np.savez(mine, train_images=images, train_labels=np.arange(60) % 3)
    settings = f"data={{kind: npz, file: {mine}, axes: nhw, test_images: null}}"
    killed(tmp_path / "cut", 30, settings)
    mine.rename(tmp_path / "away.npz")
    assert prepare_resume(tmp_path / "cut").rounds >= 1  # the run has a copy
    shutil.rmtree(tmp_path / "cut" / "files")
    with pytest.raises(BadInput) as gone:
        prepare_resume(tmp_path / "cut")
    assert str(gone.value).startswith(
        "my.npz: cannot be read (No such file or directory); it is data.file of"
    )
    np.savez(mine, train_images=images, train_labels=np.arange(60) % 2)
    with pytest.raises(BadInput, match=r"same run \(file data\.file: my\.npz: \w+ then, \w+ now\)"):
        prepare_resume(tmp_path / "cut")
    (tmp_path / "away.npz").rename(mine)
    assert prepare_resume(tmp_path / "cut").rounds >= 1


def test_a_folder_that_is_no_unfinished_run_is_refused(whole: Path, tmp_path: Path) -> None:
    assert finished(whole)
    with pytest.raises(BadInput, match=r"no scenario\.yaml in it"):
        finished(tmp_path)
    with pytest.raises(BadInput, match=r"no checkpoints/begun\.json in it"):
        prepare_resume(whole)


def test_other_commands_say_what_such_a_folder_is(cut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reason = f"{cut}: the run is not finished: it goes on, or was killed and can be resumed\n"
    for words in (["explain", str(cut)], ["replay", str(cut)], ["verify", str(cut)], ["trace", str(cut)]):
        assert main(words) == 2
        assert capsys.readouterr().err == reason
    assert main(["list", str(cut.parent)]) == 0
    out = capsys.readouterr().out
    assert "unfinished" in out
    assert reason in out


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    """Of two processes on one folder the second is refused, before and after it has built its world."""
    found = []

    def meddle(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == 2:
            with pytest.raises(BadInput) as caught:
                prepare_resume(tmp_path / "r")
            found.append(str(caught.value))

    run(prepare(scenario(*SHORT), tmp_path / "r", threads=1), meddle, checkpoint_every=1)
    assert found == [f"{tmp_path / 'r'}: the run is still going on, in another process"]


def test_an_end_that_keeps_its_state_to_itself_costs_everything_and_no_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell whether somebody else's codec has a memory, so that nothing of it is relied upon."""
    original = Uniform.sender

    class Secretive(Sender):
        def __init__(self, inner: Sender) -> None:
            self._inner = inner

        def encode(self, *message: Any, **more: Any) -> Payload:
            return self._inner.encode(*message, **more)

    monkeypatch.setattr(Uniform, "sender", lambda codec, stream: Secretive(original(codec, stream)))
    summary = undisturbed(tmp_path / "whole", "codec=uniform")
    killed(tmp_path / "r", 30, "codec=uniform")
    resumable = prepare_resume(tmp_path / "r")
    assert resumable.rounds == 0
    assert "Secretive has no get_state and set_state" in resumable.remarks[0]
    assert resume(resumable)["digest"] == summary["digest"]


def test_checkpoints_are_as_rare_as_one_likes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second round; none; and by default none in a run that takes no time."""
    stopped = SimpleNamespace(monotonic=lambda: 0.0)
    monkeypatch.setattr("slfac_sim.runs.checkpoints.time", stopped)
    found: list[list[str]] = []

    def look(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == ROUNDS:
            found.append(sorted(path.name for path in there.glob(f"{FOLDER}/*.checkpoint")))

    for every in (2, 0, None):
        there = tmp_path / str(every)
        run(prepare(scenario(*SHORT), there, threads=1), look, checkpoint_every=every)
    assert found == [["round_000002.checkpoint"], [], []]


def test_a_negative_number_of_rounds_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(TINY), "--checkpoint-every", "-1", "--out", str(tmp_path / "r")]) == 2
    assert capsys.readouterr().err == "--checkpoint-every -1: must be at least 0\n"
    assert not (tmp_path / "r").exists()


def command(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "slfac_sim", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rounds_of(folder: Path) -> int:
    """Return the number of the newest checkpoint, 0 for none."""
    names = [path.stem for path in folder.glob(f"{FOLDER}/*.checkpoint")]
    return max((int(name.rpartition("_")[2]) for name in names), default=0)


@pytest.mark.slow
def test_kill_minus_nine_and_resume_on_the_command_line(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A real process is killed as soon as its second checkpoint is there, and the next one too."""
    folder = tmp_path / "r"
    settings = [*SHORT, "--threads", "1", "--out", str(folder), "--checkpoint-every", "1"]
    words = ["run", str(TINY), *settings, "--quiet"]
    for wanted in (2, 3):
        with command(*words) as process:
            give_up_s = time.monotonic() + 60.0
            while rounds_of(folder) < wanted and process.poll() is None and time.monotonic() < give_up_s:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
        words = ["resume", str(folder)]
    assert not finished(folder)
    with command("resume", str(folder)) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    digest = json.loads((whole / "summary.json").read_text())["digest"]
    assert out.splitlines()[0] == str(folder)
    assert digest[:16] in out
    assert "resumed after round 3" in err or "resumed after round 4" in err
    assert json.loads((folder / "summary.json").read_text())["digest"] == digest
    assert main(["resume", str(folder)]) == 0
    assert "the run is finished already; nothing to resume" in capsys.readouterr().err


def test_an_altered_ledger_of_an_interrupted_run_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "r"

    def interrupt(table: str, row: Any) -> None:
        if table == "rounds" and row["round"] == 2:
            raise KeyboardInterrupt

    run(prepare(scenario(*SHORT), folder, threads=1), interrupt, checkpoint_every=1)
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as db, db:
        db.execute("UPDATE evals SET accuracy = 0.99 WHERE round = 1")
    with pytest.raises(BadInput, match=r"ledger\.sqlite: altered since the run: its digest is"):
        prepare_resume(folder)


def test_data_that_were_replaced_under_one_path_are_refused(
    cut: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the key cannot see either: data that no setting names."""
    load = Synthetic.load

    def others(self: Synthetic, report: Any = None) -> Any:
        data = load(self, report)
        return dataclasses.replace(data, test_labels=data.test_labels[::-1].copy())

    monkeypatch.setattr(Synthetic, "load", others)
    with pytest.raises(BadInput, match="cannot be resumed: made up holds other data than then"):
        prepare_resume(copy)
