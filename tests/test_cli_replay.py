"""The command `replay`: a run folder equal to a live run's, without torch; or a refusal and nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from worlds import scenario, table

from slfac_sim.cli import main
from slfac_sim.ledger import TABLES
from slfac_sim.run import prepare, run

NETWORKS = {
    "cell": ["network.bandwidth=1 MHz", "server.speed=0.5 GFLOP/s"],
    "fading": ["network.fading={kind: block, coherence: 50 ms}", "devices.speed.sigma=1.5"],
    "ideal": ["network={kind: ideal, up_rate: 3 Mbit/s, down_rate: 9 Mbit/s}", "evaluation.targets=[0.2]"],
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "run"
    run(prepare(scenario(), folder, threads=1))
    return folder


@pytest.fixture
def without_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing: figures take longer than all the rest."""
    monkeypatch.setattr("slfac_sim.folders._draw", lambda folder: None)


def summary_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


@pytest.mark.parametrize(("network", "codec"), [("cell", "slfac"), ("fading", "raw"), ("ideal", "slfac")])
def test_a_replay_is_the_live_run_under_its_settings(
    network: str, codec: str, tmp_path: Path, without_figures: None
) -> None:
    recorded, live, replayed = (tmp_path / name for name in ("recorded", "live", "replay"))
    run(prepare(scenario(f"codec={codec}"), recorded, threads=1))
    run(prepare(scenario(f"codec={codec}", *NETWORKS[network]), live, threads=1))
    assert main(["replay", str(recorded), *NETWORKS[network], "--out", str(replayed), "--quiet"]) == 0
    for name in TABLES:
        assert table(replayed / "ledger.sqlite", name) == table(live / "ledger.sqlite", name), name
    assert (replayed / "scenario.yaml").read_text() == (live / "scenario.yaml").read_text()
    there, here = summary_in(live), summary_in(replayed)
    assert here.pop("replay_of") == summary_in(recorded)["digest"]
    assert list(here) == list(there)
    assert here.pop("host").keys() == there.pop("host").keys()
    assert here == there


def test_a_replay_lies_where_runs_lie_and_is_the_latest(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["replay", str(record), "network.bandwidth=2 MHz"]) == 0
    out, err = capsys.readouterr()
    folder = Path(out.splitlines()[0])
    assert folder.parent == Path("runs/tiny")
    assert Path("runs/latest").resolve() == folder.resolve()
    assert "round 2/2" in err
    assert "simulated time" in out
    names = {path.name for path in folder.iterdir()}
    assert names == {"figures", "ledger.sqlite", "run.log", "scenario.yaml", "summary.json"}
    assert list((folder / "figures").glob("time_to_accuracy.*"))
    assert main(["replay", "runs/latest", "--seed-air", "4", "--quiet"]) == 0  # of a replay
    again = summary_in(Path("runs/latest"))
    assert again["replay_of"] == summary_in(folder)["digest"]
    assert again["seed"] == {"learning": 0, "air": 4}


def test_json_is_alone_on_standard_output(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], without_figures: None
) -> None:
    folder = tmp_path / "r"
    assert main(["replay", str(record), "--json", "--quiet", "--out", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == summary_in(folder)
    assert err.splitlines()[0] == str(folder)
    assert json.loads(out)["digest"] == summary_in(record)["digest"]


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("codec=raw", "codec.uplink.kind: slfac there, raw wanted"),
        ("model.width=8", "model.width: 4 there, 8 wanted"),
        ("cut=conv2", "cut: conv1 there, conv2 wanted"),
        ("data.classes=5", "data.classes: 4 there, 5 wanted"),
        ("partition={kind: dirichlet, alpha: 1}", "partition.kind: iid there, dirichlet wanted"),
        ("learning.batch=16", "learning.batch: 8 there, 16 wanted"),
        ("protocol.rounds=3", "protocol.rounds: 2 there, 3 wanted"),
        ("seed.learning=1", "seed.learning: 0 there, 1 wanted"),
        ("seed=1", "seed.learning: 0 there, 1 wanted"),
        ("devices.count=6", "devices.count: 5 there, 6 wanted"),
        ("evaluation.every_rounds=2", "evaluation.every_rounds: 1 there, 2 wanted"),
        ("network.bandwith=1 MHz", "did you mean 'bandwidth'?"),
        ("network.positions=[[1,2]]", "network.positions: "),
    ],
)
def test_a_refusal_is_one_line_and_leaves_nothing(
    record: Path,
    override: str,
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["replay", str(record), override]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert reason in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_run_or_with_something_in_it_is_refused(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(tmp_path)]) == 2
    assert "no summary.json in it" in capsys.readouterr().err
    assert main(["replay", str(record), "--out", str(record)]) == 2
    assert "exists and is not an empty folder" in capsys.readouterr().err


def test_a_replay_needs_no_torch_and_no_data(record: Path, tmp_path: Path) -> None:
    """In a process of its own, where importing torch or loading a data set would be an error."""
    code = f"""
import sys
sys.modules["torch"] = None
from slfac_sim.datasets.synthetic import Synthetic
del Synthetic.load
from slfac_sim.cli import main
status = main(["replay", {str(record)!r}, "network.bandwidth=3 MHz", "--out", {str(tmp_path / "r")!r}])
print(status, "slfac_sim.build" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
    assert summary_in(tmp_path / "r")["status"] == "finished"


def test_a_stalled_replay_fails_like_a_run(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], without_figures: None
) -> None:
    far = ["network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]", "network.outage=allow"]
    assert main(["replay", str(record), *far, "--quiet", "--out", str(tmp_path / "r")]) == 1
    assert "stalled: d002 -> server" in capsys.readouterr().err
    assert summary_in(tmp_path / "r")["status"] == "failed"
    assert main(["replay", str(tmp_path / "r")]) == 2
    assert "only a finished one can be replayed" in capsys.readouterr().err
