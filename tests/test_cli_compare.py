"""`compare`: what differs, the ratio of times, and whether seeds and air were the same."""

import json
from pathlib import Path

import pytest
from run_folders import fake_run
from worlds import scenario

from slfac_sim.cli import main
from slfac_sim.foundation.targets import Target
from slfac_sim.runs.compare import compare
from slfac_sim.scenario.files import dump


def run_of(folder: Path, *overrides: str, seed: int | None = None, **figures: object) -> Path:
    """Leave a run folder with that scenario, and figures that need not be its own."""
    fake_run(folder, **figures)  # type: ignore[arg-type]
    (folder / "scenario.yaml").write_text(dump(scenario(*overrides, seed=seed)), encoding="utf-8")
    return folder


def test_settings_that_differ_and_the_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = run_of(tmp_path / "a", round_s=10.0)
    b = run_of(tmp_path / "b", "codec=raw", round_s=25.0, label="raw fp32", accuracy=(0.1, 0.5, 0.85))
    found = compare(a, b)
    assert found.differing["codec.uplink.kind"] == ("slfac", "raw")
    assert found.differing["codec.uplink.theta"] == (0.9, None)
    assert all(path.startswith("codec.") for path in found.differing)
    assert found.ratio(Target("accuracy", 0.8)) == pytest.approx(20.0 / 50.0)
    assert found.ratio(Target("accuracy", 0.9)) is None
    assert main(["compare", str(a), str(b)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "time to 80 %: A is 2.50 times as fast" in lines
    assert "time to 90 %: not reached by B" in lines
    assert lines[-1] == "same seeds: yes; air: same"
    assert any(line.split() == ["codec.uplink.kind", "slfac", "raw"] for line in lines)


def test_other_seeds_and_other_air_are_told(tmp_path: Path) -> None:
    a = run_of(tmp_path / "a")
    other_seed = compare(a, run_of(tmp_path / "b", seed=1))
    assert not other_seed.same_seeds
    assert other_seed.air == "not the same: seed.air differs"
    other_band = compare(a, run_of(tmp_path / "c", "network.bandwidth=10 MHz", "network.radius=100 m"))
    assert other_band.same_seeds
    assert other_band.with_units("network.bandwidth")[1] == "10 MHz"
    assert other_band.with_units("network.radius")[1] == "100 m"
    assert other_band.air == "not the same: network.bandwidth, network.radius differ"
    more = compare(a, run_of(tmp_path / "d", "devices.count=6"))
    assert more.air == "not the same: devices.count differs"
    learnt = compare(a, run_of(tmp_path / "e", "seed.learning=3"))
    assert (learnt.same_seeds, learnt.air) == (False, "same")


def test_the_comparison_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = run_of(tmp_path / "a"), run_of(tmp_path / "b")
    assert main(["compare", str(a), str(b), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["differing"] == {}
    assert facts["time_ratio_a_over_b"] == {"0.8": 1.0, "0.9": 1.0, "0.95": 1.0, "0.97": 1.0}


def test_a_folder_without_its_scenario_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a = run_of(tmp_path / "a")
    fake_run(tmp_path / "b")
    assert main(["compare", str(a), str(tmp_path / "b")]) == 2
    assert "scenario.yaml: cannot be read" in capsys.readouterr().err
    assert main(["compare", str(a), str(tmp_path / "c")]) == 2
    assert "no such folder" in capsys.readouterr().err
