"""Whole runs into folders: what lies there, that it adds up, that it is the same twice; and how runs end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import TINY, scenario, table

from slfac_sim.analysis.draw import draw_run
from slfac_sim.codecs import Sender
from slfac_sim.codecs.slfac import SlFac
from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.files import load
from slfac_sim.simulation.simulate import survey_of

Finished = tuple[Path, dict[str, Any]]


def run_into(folder: Path, *overrides: str, **arguments: Any) -> dict[str, Any]:
    return run(prepare(scenario(*overrides), folder, threads=1), **arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("runs") / "finished"
    return folder, run_into(folder)


def test_the_folder_holds_everything(finished: Finished) -> None:
    folder, _ = finished
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == [
        *("about.json", "ledger.sqlite", "run.log", "scenario.yaml", "summary.json"),
        "weights/final.safetensors",
    ]


def test_the_summary_is_what_the_ledger_says(finished: Finished) -> None:
    folder, summary = finished
    assert json.loads((folder / "summary.json").read_text()) == summary
    ledger = folder / "ledger.sqlite"
    payloads, transfers = table(ledger, "payloads"), table(ledger, "transfers")
    for kind in ("smashed_up", "smashed_down", "labels", "model_up", "model_down"):
        assert summary["bytes"][kind] == sum(row["bytes"] for row in payloads if row["kind"] == kind) > 0
    assert summary["bytes"]["total"] == sum(row["payload_bytes"] for row in transfers)
    assert summary["bytes"]["total"] == sum(v for k, v in summary["bytes"].items() if k != "total")
    assert summary["transfers"] == len(transfers)
    assert summary["wire_bytes"] == sum(row["wire_bytes"] for row in transfers)
    smashed = [row for row in payloads if row["kind"] == "smashed_up"]
    assert {row["value_count"] for row in smashed} == {8 * 4 * 6 * 6}
    bits = 8 * sum(row["bytes"] for row in smashed) / sum(row["value_count"] for row in smashed)
    assert summary["bits_per_value"]["up"] == pytest.approx(bits)
    evals = table(ledger, "evals")
    assert [row["round"] for row in evals] == [0, 1, 2]
    assert summary["accuracy"]["final"] == evals[-1]["accuracy"]
    assert summary["simulated_s"] == max(row["end_s"] for row in transfers + table(ledger, "computes"))


def test_the_ledger_begins_with_what_the_air_offers(finished: Finished) -> None:
    folder, summary = finished
    survey = survey_of(scenario())
    air, stations, links = (table(folder / "ledger.sqlite", name) for name in ("air", "stations", "links"))
    assert [row["device"] for row in links] == [link.device for link in survey.links]
    for name in ("x_m", "y_m", "los", "distance_m", "up_snr_db", "down_rate_bps", "up_best_bps", "station"):
        assert [row[name] for row in links] == [getattr(link, name) for link in survey.links]
    for row in links:
        (station,) = (one for one in stations if one["name"] == row["station"])
        there = np.hypot(row["x_m"] - station["x_m"], row["y_m"] - station["y_m"])
        assert there == pytest.approx(row["distance_m"])
    assert len(air) == 1
    assert summary["positions_redrawn"] == air[0]["redraws"] == survey.redraws


def test_crossings_are_the_first_evaluation_at_or_above(tmp_path: Path) -> None:
    summary = run_into(tmp_path / "r", "evaluation.targets=[0.01,1.0]")
    assert summary["time_to_accuracy_s"] == {"0.01": 0.0, "1": None}


def test_the_resolved_scenario_runs_the_same_again(finished: Finished, tmp_path: Path) -> None:
    folder, summary = finished
    resolved = load(folder / "scenario.yaml")
    again = run(prepare(resolved, tmp_path / "again", threads=1))
    assert resolved == scenario()
    assert again["digest"] == summary["digest"]


def test_same_seed_same_digest_other_seed_other_digest(finished: Finished, tmp_path: Path) -> None:
    _, summary = finished
    same = run_into(tmp_path / "elsewhere" / "deep")
    air = run_into(tmp_path / "air", "seed.air=1")
    assert same["digest"] == summary["digest"]
    assert air["digest"] != summary["digest"]
    assert air["accuracy"] == summary["accuracy"]  # the air does not steer learning
    assert air["simulated_s"] != summary["simulated_s"]


def test_one_corrupted_body_changes_the_digest(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One value of one message of 30 is changed in the least before it is encoded."""
    calls = 0
    original = SlFac.sender

    def sender(self: SlFac, stream: str) -> Any:
        inner = original(self, stream)

        class Corrupting(Sender):
            def encode(self, tensor: Any, *rest: Any, **more: Any) -> Any:
                nonlocal calls
                calls += stream == "d003/up"
                if calls == 2:
                    tensor = tensor.copy()
                    tensor[0, 0] += np.float32(0.5)
                return inner.encode(tensor, *rest, **more)

        return Corrupting()

    monkeypatch.setattr(SlFac, "sender", sender)
    assert run_into(tmp_path / "r")["digest"] != finished[1]["digest"]


def test_an_existing_run_is_never_touched(finished: Finished) -> None:
    folder, _ = finished
    before = (folder / "summary.json").stat().st_mtime_ns
    with pytest.raises(BadInput) as caught:
        prepare(scenario(), folder)
    assert str(caught.value) == f"--out {folder}: exists and is not an empty folder; name a new one"
    assert (folder / "summary.json").stat().st_mtime_ns == before


def test_a_refused_scenario_leaves_nothing_behind(tmp_path: Path) -> None:
    for fault in ("network.positions=[[9000,0],[1,1],[2,2],[3,3],[4,4]]", "cut=conv7", "data.size=4000"):
        with pytest.raises(BadInput):
            prepare(scenario(fault), tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_a_diverging_run_fails_with_its_reason_and_keeps_its_rounds(tmp_path: Path) -> None:
    summary = run_into(tmp_path / "r", "learning.optimiser.learning_rate=1e12", "model.batch_norm=false")
    assert summary["status"] == "failed"
    assert re.fullmatch(r"diverged in round \d on \S+: .*", summary["reason"])
    assert draw_run(tmp_path / "r", main_alone=True)


def test_a_stalled_run_fails_and_names_the_transfer(tmp_path: Path) -> None:
    far = ("network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]", "network.outage=allow")
    summary = run_into(tmp_path / "r", *far)
    assert summary["status"] == "failed"
    assert "stalled: d002 -> server" in summary["reason"]
    assert summary["rounds"] == 0


def test_notes_are_heard_while_it_runs(tmp_path: Path) -> None:
    heard: list[str] = []
    run_into(tmp_path / "r", on_note=lambda name, row: heard.append(name))
    assert (heard.count("steps"), heard.count("rounds"), heard.count("evals")) == (30, 2, 3)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGINT") or os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_ends_cleanly_and_keeps_what_was_recorded(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    unignore = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)"
    code = f"{unignore}; from slfac_sim.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, str(TINY), "protocol.rounds=100000", "--out", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "round 3/" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=200)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted: by the user" in err
    assert f"go on with it: python -m slfac_sim resume {folder}\n" in err
    assert out.splitlines()[0] == str(folder)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "interrupted"
    assert summary["rounds"] >= 3
    assert len(table(folder / "ledger.sqlite", "rounds")) == summary["rounds"]
