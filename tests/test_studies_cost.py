"""What a study costs, told before it starts: the sum over what is left of it, and no more."""

from dataclasses import replace
from pathlib import Path

import pytest
from studies import Here, swept, tiny_plan

from slfac_sim.cli import main
from slfac_sim.studies import cost, forecast
from slfac_sim.studies.cost import Cost, cost_of
from slfac_sim.studies.forecast import planned
from slfac_sim.studies.jobs import Demand
from slfac_sim.studies.sweep import missing_trainings

TAKES = Demand(
    memory_bytes=400_000_000,
    disk_bytes=1_000_000,
    weights_bytes=50_000,
    host_s=10.0,
    cpu_s=15.0,
    replay_s=0.5,
)


def _cost(workers: int = 1, weights: bool = False, cache: Path = Path("nothing")) -> Cost:
    plan = tiny_plan("network.bandwidth=1,2,5 MHz", "codec=raw,slfac", seeds="2")
    jobs = missing_trainings(plan, plan.points, cache, weights)
    return cost_of(plan, plan.points, jobs, {job.key: TAKES for job in jobs}, cache, workers)


def test_it_is_the_sum_of_trainings_replays_and_the_study_itself() -> None:
    alone = _cost()
    assert (alone.trainings_s, alone.trainings_cpu_s, alone.replays_s) == (40.0, 60.0, 6.0)
    assert alone.cpu_s == 66.0 + alone.study_s
    assert alone.seconds == 46.0 + alone.study_s
    assert alone.disk_bytes == 4e6 + alone.study_bytes
    assert alone.memory_bytes == TAKES.memory_bytes


def test_workers_share_the_time_and_not_the_hours() -> None:
    alone, four, many = _cost(), _cost(workers=4), _cost(workers=100)
    assert four.seconds - four.study_s == pytest.approx((alone.seconds - alone.study_s) / 4)
    assert many.seconds > TAKES.host_s  # none ends before the longest training
    assert alone.cpu_s == four.cpu_s == many.cpu_s
    assert ("memory", "about 400 MB at the peak of a training, 1.6 GB for 4 at once") in four.lines(Path())


def test_trained_models_take_disk_where_they_are_kept() -> None:
    assert _cost(weights=True).disk_bytes == _cost().disk_bytes + 4 * TAKES.weights_bytes


def test_a_disk_that_is_too_small_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = _cost()
    assert whole.remark_on(tmp_path) == ""
    monkeypatch.setattr(cost, "_free_bytes", lambda folder: 1_000_000)
    assert whole.remark_on(tmp_path).endswith("MB, and 1 MB are free there")
    assert "1 MB are free" in dict(whole.lines(tmp_path))["disk"]


def test_what_is_done_costs_nothing_and_what_is_on_record_is_only_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(forecast, "demand", lambda job: TAKES)
    plan, cache = tiny_plan("network.bandwidth=1,2 MHz"), tmp_path / "runs" / "trainings"
    fresh = planned(plan).facts
    assert (fresh["trainings_left"], fresh["points_done"], fresh["memory_bytes"]) == (1, 0, 400_000_000)
    assert fresh["host_cpu_s"] > 16.0
    one = replace(plan, points=plan.points[:1])
    assert not swept(one, tmp_path / "runs" / "studies" / "tiny", Here(cache), cache)
    half = planned(plan)
    assert (half.facts["trainings_left"], half.facts["points_done"]) == (0, 1)
    assert 0.0 < half.facts["host_cpu_s"] < fresh["host_cpu_s"] - 15.0
    assert ("points", "2, each a replay; 1 are done") in half.lines
    assert not swept(plan, tmp_path / "runs" / "studies" / "tiny", Here(cache), cache)
    assert planned(plan).facts["host_cpu_s"] == 0.0


def test_check_and_sweep_tell_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = Path(__file__).with_name("tiny.yaml")
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(f"base: {tiny}\naxes: {{network.bandwidth: [1 MHz, 2 MHz]}}\nseeds: 1\n")
    assert main(["check", "mine.yaml"]) == 0
    said = capsys.readouterr().out
    for title in ("time on this host", "CPU hours", "memory ", "disk "):
        assert f"\n{title}" in said
    monkeypatch.setattr("slfac_sim.analysis.studies.report.finish_study", lambda folder: [])
    assert main(["sweep", "mine.yaml", "--workers", "1", "--threads", "1"]) == 0
    said = capsys.readouterr().err
    assert said.index("by the clock, ") < said.index("CPU hours and ") < said.index("trainings 0/1")
