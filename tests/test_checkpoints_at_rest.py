"""A checkpoint never changes a run, whatever cuts its rounds short and wherever it is killed."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from fakes import payload
from faults import PROTOCOLS, has_limits, settings_of, within
from test_resume import Death, death, rows
from worlds import scenario

from slfac_sim.effects import Send, Task, Together
from slfac_sim.hosts.names import SERVER
from slfac_sim.protocols.parallel import Parallel
from slfac_sim.runs.checkpoints import FOLDER, Checkpoints
from slfac_sim.runs.resume import prepare_resume, resume
from slfac_sim.runs.run import prepare, run

ROUNDS = 3
CUTS = ["deadline", "enough", "devices come and go", "the server comes and goes"]


def cut(kind: str, how: str) -> str:
    """Return the setting that cuts rounds short; a deadline falls into the server's last step of a group."""
    if how == "deadline":
        served_s = within(kind, "served", limited=True) or within(kind, "server computes", limited=True)
        return f"protocol.participation.deadline={served_s!r}"
    if how == "enough":
        return "protocol.participation.enough=2"
    host, up = ("devices", "100 ms") if how == "devices come and go" else ("server", "30 ms")
    return f"{host}.availability={{kind: on_off, mean_on: {up}, mean_off: 10 ms}}"


def copied_in_every_round(folder: Path, *overrides: str) -> tuple[dict[str, Any], list[Path]]:
    """Run with a checkpoint after each round; also return copies as a kill in the next round leaves them."""
    copies: list[Path] = []
    last = ""

    def heard(table: str, row: Any) -> None:
        nonlocal last
        if last == "rounds":
            copies.append(shutil.copytree(folder, folder.with_name(f"killed_{len(copies) + 1}")))
        last = table

    summary = run(prepare(scenario(*overrides), folder, threads=1), heard, checkpoint_every=1, strict=True)
    return summary, copies


def assert_checkpoints_change_nothing(folder: Path, *overrides: str) -> list[int]:
    """Return the round after which each killed run was gone on with."""
    whole = run(prepare(scenario(*overrides), folder / "whole", threads=1), checkpoint_every=0)
    assert whole["status"] == "finished", whole["reason"]
    summary, copies = copied_in_every_round(folder / "r", *overrides)
    assert summary["digest"] == whole["digest"], summary["reason"]
    resumables = [prepare_resume(copy) for copy in copies]
    rounds = [resumable.rounds for resumable in resumables]
    assert {resume(resumable)["digest"] for resumable in resumables} == {whole["digest"]}
    return rounds


CASES = [
    (kind, how)
    for kind in PROTOCOLS
    for how in CUTS
    if (how != "deadline" or has_limits(kind))
    and (how != "enough" or (has_limits(kind) and kind != "sequential"))
]


@pytest.mark.matrix
@pytest.mark.parametrize(("kind", "how"), CASES)
def test_a_run_killed_in_any_round_ends_as_the_undisturbed_one(kind: str, how: str, tmp_path: Path) -> None:
    """With and without checkpoints too. Where models are mixed, one must train at a time."""
    rounds = assert_checkpoints_change_nothing(tmp_path, *settings_of(kind, ROUNDS), cut(kind, how))
    schedule = scenario(*settings_of(kind)).protocol.schedule
    if schedule.models == "mixed" and schedule.at_once != 1:
        assert set(rounds) == {0}
    else:
        assert rounds == list(range(1, ROUNDS))


ONE_AT_A_TIME = [
    ("devices.count=1", "protocol={kind: asynchronous, rounds: 3, steps: 2}"),
    ("devices.count=1", "protocol={kind: asynchronous, rounds: 3}"),
    ("devices.count=1", "protocol={kind: fedbuff, rounds: 3, steps: 2}"),
    (
        "protocol={kind: fedasync, rounds: 3, steps: 2, concurrency: 1, staleness: hinge}",
        "learning.optimiser=adam",
    ),
    ("protocol={kind: fedbuff, rounds: 3, concurrency: 1, buffer: 7}", "codec.model=qsgd"),
]


@pytest.mark.parametrize("how", ["nobody fails", "devices come and go", "the server comes and goes"])
@pytest.mark.parametrize("overrides", ONE_AT_A_TIME)
def test_where_one_trains_at_a_time_a_run_goes_on_from_a_quiet_round(
    overrides: tuple[str, ...], how: str, tmp_path: Path
) -> None:
    """Every row of every table is that of the run that nobody disturbed, wherever it was killed."""
    more = () if how == "nobody fails" else (cut("", how),)
    whole = run(prepare(scenario(*overrides, *more), tmp_path / "whole", threads=1), checkpoint_every=0)
    assert whole["status"] == "finished", whole["reason"]
    _, copies = copied_in_every_round(tmp_path / "r", *overrides, *more)
    assert len(copies) >= ROUNDS - 1
    for number, copy in enumerate(copies, start=1):
        resumable = prepare_resume(copy)
        assert resumable.rounds == number
        resume(resumable)
        assert rows(copy) == rows(tmp_path / "whole")


@pytest.mark.parametrize("overrides", ONE_AT_A_TIME)
def test_killed_after_the_last_checkpoint_the_model_is_still_given_back(
    overrides: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(prepare(scenario(*overrides), tmp_path / "whole", threads=1), checkpoint_every=0)
    keep = Checkpoints.keep

    def dying(checkpoints: Checkpoints, round_number: int, *state: Any) -> None:
        keep(checkpoints, round_number, *state)
        if round_number == ROUNDS:
            raise Death

    with monkeypatch.context() as patched:
        patched.setattr(Checkpoints, "keep", dying)
        with death():
            run(prepare(scenario(*overrides), tmp_path / "r", threads=1), checkpoint_every=1)
    resumable = prepare_resume(tmp_path / "r")
    assert resumable.rounds == ROUNDS
    resume(resumable)
    assert rows(tmp_path / "r") == rows(tmp_path / "whole")


def test_no_checkpoint_is_written_while_work_is_under_way_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device sends something large beside the rounds."""
    rounds_alone = Parallel.run

    def run_beside(plan: Parallel, participants: Any) -> Task:
        yield Together([rounds_alone(plan, participants), aside()])

    def aside() -> Task:
        yield Send("d000", SERVER, {"labels": payload(20_000_000)})

    found: list[Path] = []

    def heard(table: str, row: Any) -> None:
        found.extend((tmp_path / "r" / FOLDER).glob("*.checkpoint"))

    monkeypatch.setattr(Parallel, "run", run_beside)
    prepared = prepare(scenario(*settings_of("parallel", ROUNDS)), tmp_path / "r", threads=1)
    summary = run(prepared, heard, checkpoint_every=1)
    assert (summary["status"], found) == ("finished", []), summary["reason"]
    log = (tmp_path / "r" / "run.log").read_text()
    for number in range(1, ROUNDS + 1):
        assert (
            f"round {number}: no checkpoint, for work is under way, such as: d000 -> server (20000000 bytes"
            in log
        )
