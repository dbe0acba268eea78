"""What would help a run that did not reach its targets: only where accuracy rose to the end."""

from pathlib import Path

import pytest
from run_folders import fake_run

from slfac_sim.analysis.unreached import advice
from slfac_sim.ledger.folder import Run, load

RISING = (0.1, 0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85)


def a_run(folder: Path, accuracy: tuple[float, ...] = RISING, **changes: object) -> Run:
    made = fake_run(folder / "run", accuracy=accuracy, changes=changes)
    (made / "scenario.yaml").write_text("protocol: {kind: parallel, rounds: 7}\n", encoding="utf-8")
    return load(made)


def test_rounds_are_doubled_and_targets_named(tmp_path: Path) -> None:
    text = advice(a_run(tmp_path))
    assert "protocol.rounds=14" in text
    assert "evaluation.targets" in text


@pytest.mark.parametrize(
    ("accuracy", "changes"),
    [
        ((0.1, 0.85, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8), {}),
        ((*RISING, 0.98), {}),
        ((0.1,), {}),
        (RISING, {"status": "interrupted"}),
        (RISING, {"stopped": "at 95 %"}),
        (RISING, {"replay_of": "another"}),
    ],
    ids=["level", "reached", "untrained", "interrupted", "stopped", "replay"],
)
def test_where_more_rounds_are_no_help_nothing_is_said(
    tmp_path: Path, accuracy: tuple[float, ...], changes: dict[str, object]
) -> None:
    assert advice(a_run(tmp_path, accuracy, **changes)) == ""


def test_without_its_scenario_a_run_is_told_which_setting(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    (run.folder / "scenario.yaml").unlink()
    assert "more rounds (protocol.rounds)" in advice(run)


def test_of_a_damaged_ledger_nothing_is_said(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    (run.folder / "ledger.sqlite").write_bytes(b"no ledger")
    assert advice(run) == ""
