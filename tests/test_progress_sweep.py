"""The display of a sweep where there is no terminal: plain lines with counts and what is left."""

import pytest
from studies import tiny_plan

from slfac_sim.progress import sweep as sweep_progress
from slfac_sim.progress.sweep import SweepProgress
from slfac_sim.studies.engines import Outcome
from slfac_sim.studies.jobs import Replay, Train


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list of one number, the time in seconds."""
    now = [0.0]
    monkeypatch.setattr(sweep_progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_tell_counts_and_what_is_left(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    whole = tiny_plan("network.bandwidth=1,2 MHz", "codec=raw,slfac")
    key, scenario = next(iter(whole.trainings.items()))
    with SweepProgress(quiet=False) as progress:
        progress.workers = 2
        progress.begin(4, 6, 8, 12)
        clock[0] = 50.0
        progress.ended(Outcome(Train(key, scenario, 1), took_s=50.0))
        clock[0] = 55.0
        progress.ended(Outcome(Replay(whole.points[0]), took_s=1.0))
        clock[0] = 62.0
        progress.ended(Outcome(Replay(whole.points[1]), took_s=3.0))
        progress.retried(Outcome(Replay(whole.points[2]), reason="its process died", again=True))
    assert capsys.readouterr().err.splitlines() == [
        "trainings 2/6 · points 4/12 · 0:00 elapsed",
        "trainings 3/6 · points 4/12 · 0:50 elapsed, about 0:50 left",  # 3 x 50 s, 50 s done, by 2
        "trainings 3/6 · points 6/12 · 1:02 elapsed, about 0:46 left",  # 3 x 50 + 6 x 2 - 70, by 2
        f"tried again: {whole.points[2].key}: its process died",
    ]


def test_nothing_is_said_of_time_before_anything_is_known(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with SweepProgress(quiet=False) as progress:
        progress.begin(0, 6, 8, 12)
    assert "left" not in capsys.readouterr().err


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with SweepProgress(quiet=True) as progress:
        progress.begin(1, 1, 1, 1)
        progress.say("...")
    assert capsys.readouterr().err == ""
