"""What the command line says of input: misspelt commands, studies and scenarios mixed up, what is dropped."""

from pathlib import Path

import pytest
from worlds import TINY

from slfac_sim.cli import main

STUDY = f"base: {TINY}\naxes: {{network.bandwidth: [1 MHz, 2 MHz]}}\nseeds: 1\n"


@pytest.mark.parametrize(("word", "meant"), [("chek", "check"), ("runn", "run"), ("explian", "explain")])
def test_a_misspelt_command_is_told_the_nearest(
    word: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word, "quick"]) == 2
    assert capsys.readouterr() == ("", f"{word}: no such command, and no scenario; did you mean '{meant}'?\n")


def test_a_study_given_to_run_is_told_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(STUDY)
    assert main(["run", str(file)]) == 2
    said = f"{file}:2:1: is a study, not a scenario (it has 'axes'); `sweep` runs it, `check` reads both\n"
    assert capsys.readouterr().err == said


def test_a_scenario_given_to_sweep_is_told_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("slfac_sim.studies.execution.sweep", lambda *a, **k: [])
    (tmp_path / "tiny.yaml").write_text(TINY.read_text())
    main(["sweep", "tiny.yaml", "--seeds", "1", "--workers", "1"])
    said = "note: tiny.yaml is a scenario: read as the base of a study without axes (--axis adds one)"
    assert said in capsys.readouterr().err


def test_what_an_override_drops_is_told_on_the_terminal_and_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "r"
    overrides = ["learning.optimiser.kind=adam", "protocol.rounds=1", "protocol.kind=parallel"]
    assert main([str(TINY), *overrides, "--out", str(folder), "--quiet"]) == 0
    said = (
        "note: override 'learning.optimiser.kind=adam': learning.optimiser: the kind changes, so these"
        " settings of sgd go: learning_rate, momentum"
    )
    assert capsys.readouterr().err.splitlines() == [said]
    log = (folder / "run.log").read_text()
    assert said in log
    assert "rounds: 1\n" in (folder / "scenario.yaml").read_text()


def test_a_study_of_more_devices_than_samples_is_refused_before_the_air_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    surveyed = "slfac_sim.simulation.simulate.survey_of"
    monkeypatch.setattr(surveyed, lambda scenario: pytest.fail("100,000 links"))
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.replace("axes:", "overrides: [devices.count=100000]\naxes:"))
    said = "partition: found 240 training samples for 100000 devices, expected at least 100000 (1 for each)\n"
    for command in (["check"], ["sweep", "--out", str(tmp_path / "out")]):
        assert main([*command, str(study)]) == 2
        assert capsys.readouterr().err == f"{study}:3:1: {said}"
    assert list(tmp_path.iterdir()) == [study]


@pytest.mark.parametrize("command", ["check", "run"])
def test_more_devices_than_samples_are_refused_before_the_air_is_looked_at(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    surveyed = "slfac_sim.simulation.simulate.survey_of"
    monkeypatch.setattr(surveyed, lambda scenario: pytest.fail("100,000 links"))
    assert main([command, str(TINY), "devices.count=100000"]) == 2
    said = "partition: found 240 training samples for 100000 devices, expected at least 100000 (1 for each)\n"
    assert capsys.readouterr().err == said
