"""Transfers that were lost are told: by the run, its summary, explain, compare, list, a study and check."""

import json
import re
from pathlib import Path

import pytest
from study_folders import fake_study
from worlds import TINY, scenario, table

from slfac_sim.analysis.format import losses
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.studies.summary import point_rows
from slfac_sim.analysis.studies.words import closing_lines
from slfac_sim.cli import main
from slfac_sim.forecast.air import rush
from slfac_sim.simulation.simulate import survey_of

LOSSY = "network={kind: cell, transport: {kind: udp, loss: 0.3, tries: 1}}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with losses."""
    folder = tmp_path_factory.mktemp("lossy") / "run"
    words = [str(TINY), LOSSY, "protocol.rounds=2", "--out", str(folder), "--quiet", "--draw", "none"]
    assert main(["run", *words]) == 0
    return folder


def told_by(folder: Path) -> tuple[int, int, int]:
    """Return transfers, lost ones and misses, by the rows of the ledger."""
    ledger = folder / "ledger.sqlite"
    sent = table(ledger, "transfers")
    return len(sent), sum(row["outcome"] == "lost" for row in sent), len(table(ledger, "misses"))


def test_the_summary_and_every_command_tell_of_losses(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sent, lost, missed = told_by(folder)
    assert lost > 0 < missed
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["transfers"], summary["lost"], summary["missed"]) == (sent, lost, missed)
    words = losses(sent, lost, missed)
    assert f"{lost} were lost, {missed} device-rounds missed" in words
    for command in (["explain", str(folder)], ["compare", str(folder), str(folder)]):
        assert main(command) == 0
        assert words in capsys.readouterr().out
    assert main(["explain", str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["transfers"], facts["lost"], facts["missed"]) == (sent, lost, missed)
    assert main(["list", str(folder.parent), "--columns", "lost,missed"]) == 0
    assert re.search(rf"^run +{lost} +{missed}$", capsys.readouterr().out, re.MULTILINE)


def test_the_closing_table_tells_of_losses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(TINY), LOSSY, "protocol.rounds=1", "--out", str(tmp_path / "run"), "--draw", "none"]
    assert main(["run", *words]) == 0
    assert re.search(
        r"^transfers +\d+, of which \d+ (was|were) lost, ", capsys.readouterr().out, re.MULTILINE
    )


def test_misses_without_losses_are_told_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Devices that are late for a deadline have lost nothing on the way."""
    late = "protocol={kind: parallel, rounds: 1, steps: 1, participation: {deadline: 1 ms}}"
    assert main(["run", str(TINY), late, "--out", str(tmp_path / "run"), "--draw", "none"]) == 0
    _, lost, missed = told_by(tmp_path / "run")
    assert lost == 0 < missed
    row = rf"\d+; {missed} device-rounds missed"
    assert re.search(rf"^transfers +{row}$", capsys.readouterr().out, re.MULTILINE)
    assert main(["explain", str(tmp_path / "run")]) == 0
    assert re.search(rf"^transfers: {row}$", capsys.readouterr().out, re.MULTILINE)


def test_a_study_tells_of_losses_and_reads_points_without_them(tmp_path: Path) -> None:
    study = load_study(fake_study(tmp_path / "old"))
    assert not any("lost" in line for line in closing_lines(study))
    lossy = load_study(fake_study(tmp_path / "new", change=lambda point: point.update(lost=2, missed=1)))
    sent = sum(lossy.columns["transfers"])
    assert f"Transfers of all points: {losses(sent, 2 * lossy.size, lossy.size)}." in closing_lines(lossy)
    assert {(row["lost"], row["missed"]) for row in point_rows(lossy)} == {(2, 1)}


def test_check_leaves_losses_out_of_rates_and_counts_them() -> None:
    lossy = scenario(LOSSY)
    whole = scenario("network={kind: cell, transport: udp}")
    went, as_whole = (rush(one, survey_of(one), 20_000, True) for one in (lossy, whole))
    assert 0 < went.lost <= 5
    assert as_whole.lost == 0
    assert list(went.rates_bps) == pytest.approx(list(as_whole.rates_bps), rel=0.05)


def test_check_says_how_many_are_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY), LOSSY]) == 0
    told = capsys.readouterr().out
    assert re.search(r"of these 5 transfers [1-5] lost, by one draw", told)
    assert "all at once, Mbit/s    min 0.00" not in told
