"""The line of a run where there is no terminal: one per round, and never that nothing is left."""

from pathlib import Path

import pytest

from slfac_sim.progress import run as progress_module
from slfac_sim.progress.run import RunProgress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list of one number, the time in seconds."""
    now = [0.0]
    monkeypatch.setattr(progress_module.time, "monotonic", lambda: now[0])
    return now


def learn(progress: RunProgress, clock: list[float], number: int, steps: int) -> None:
    for _ in range(steps):
        clock[0] += 1.0
        progress.on_note("steps", {"round": number, "at_s": 0.0, "payload_bytes": 0})
    progress.on_note("rounds", {"round": number, "at_s": 10.0 * number, "payload_bytes": 2e6 * number})


def test_rounds_to_come_are_expected_to_be_like_those_so_far(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    """60 steps were planned, 20 a round; one device in two misses the first round, none the others."""
    with RunProgress(quiet=False) as progress:
        progress.begin(Path("run"), "name", 60, 3)
        progress.on_note("evals", {"accuracy": 0.1})
        for number, steps in ((1, 10), (2, 20), (3, 20)):
            learn(progress, clock, number, steps)
    assert capsys.readouterr().err.splitlines() == [
        "round 1/3 · 10.0 s simulated · accuracy 10.00 % · 2.0 MB · 0:10 elapsed, 0:20 left",
        "round 2/3 · 20.0 s simulated · accuracy 10.00 % · 4.0 MB · 0:30 elapsed, 0:15 left",
        "round 3/3 · 30.0 s simulated · accuracy 10.00 % · 6.0 MB · 0:50 elapsed, nearly done",
    ]


def test_what_was_played_from_a_record_took_no_learning(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with RunProgress(quiet=False) as progress:
        progress.begin(Path("run"), "name", 60, 3)
        for number in (1, 2):
            progress.on_note("steps", {"round": number, "at_s": 0.0, "payload_bytes": 0})
            progress.on_note("rounds", {"round": number, "at_s": 1.0, "payload_bytes": 0})
        progress.learn()
        learn(progress, clock, 3, 10)
    assert capsys.readouterr().err.splitlines()[-1].endswith("0:10 elapsed, nearly done")
