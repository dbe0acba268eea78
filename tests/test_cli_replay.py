"""The command `replay`: a run folder equal to a live run's, without torch; or a refusal and nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from told import sentences
from worlds import scenario, table

from slfac_sim.cli import main
from slfac_sim.ledger.tables import TABLES
from slfac_sim.runs.run import prepare, run

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


def summary_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return found


@pytest.mark.parametrize("network", NETWORKS)
def test_a_replay_is_the_live_run_under_its_settings(network: str, record: Path, tmp_path: Path) -> None:
    live, replayed = tmp_path / "live", tmp_path / "replay"
    run(prepare(scenario(*NETWORKS[network]), live, threads=1))
    words = ["replay", str(record), *NETWORKS[network], "--out", str(replayed), "--quiet"]
    assert main([*words, "--draw", "none"]) == 0
    for name in TABLES:
        assert table(replayed / "ledger.sqlite", name) == table(live / "ledger.sqlite", name), name
    assert (replayed / "scenario.yaml").read_text() == (live / "scenario.yaml").read_text()
    there, here = summary_in(live), summary_in(replayed)
    assert here.pop("replay_of") == summary_in(record)["digest"]
    del there["weights"]  # a replay has learnt nothing
    assert list(here) == list(there)
    assert here.pop("host").keys() == there.pop("host").keys()
    assert here == there


@pytest.mark.parametrize("seed", [0, 3])
def test_no_bandwidth_moves_anybody(seed: int, tmp_path: Path) -> None:
    """Far out, where a wide band has an SNR too low for all of it, and where places are drawn again."""
    wide = (
        "network.radius=1500 m",
        f"seed.air={seed}",
        "seed.learning=0",
        "protocol.rounds=1",
        "protocol.steps=1",
    )
    run(prepare(scenario(*wide, "network.fading=none"), tmp_path / "recorded", threads=1))
    places = []
    for bandwidth in ("500 kHz", "5 MHz", "20 MHz", "100 MHz", "1 GHz"):
        out = tmp_path / bandwidth
        override = f"network.bandwidth={bandwidth}"
        words = ["replay", str(tmp_path / "recorded"), override, "--out", str(out), "--quiet"]
        assert main([*words, "--draw", "none"]) == 0
        stood = table(out / "ledger.sqlite", "links")
        found = [(row["device"], row["x_m"], row["y_m"], row["los"]) for row in stood]
        places.append((table(out / "ledger.sqlite", "air")[0]["redraws"], found))
        assert all(row["up_rate_bps"] > 0.0 < row["down_rate_bps"] for row in stood)
    assert all(place == places[0] for place in places)


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
    assert names == {"about.json", "figures", "ledger.sqlite", "run.log", "scenario.yaml", "summary.json"}
    assert list((folder / "figures").glob("time_to_accuracy.*"))
    assert main(["replay", "runs/latest", "--seed-air", "4", "--quiet"]) == 0  # of a replay
    again = summary_in(Path("runs/latest"))
    assert again["replay_of"] == summary_in(folder)["digest"]
    assert again["seed"] == {"learning": 0, "air": 4}


def test_json_is_alone_on_standard_output(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "r"
    assert main(["replay", str(record), "--json", "--draw", "none", "--out", str(folder)]) == 0
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
    assert len(sentences(err)) == 1
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
from slfac_sim.learning.datasets.synthetic import Synthetic
Synthetic.load = lambda *arguments: 1 / 0
from slfac_sim.cli import main
status = main(["replay", {str(record)!r}, "network.bandwidth=3 MHz", "--out", {str(tmp_path / "r")!r}])
print(status, "slfac_sim.learning.world" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"
    assert summary_in(tmp_path / "r")["status"] == "finished"


def lines_of(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    """Return what the command prints on standard output after its first line, the folder."""
    assert main(argv) == 0
    return capsys.readouterr().out.splitlines()[1:]


def test_what_is_drawn_is_what_was_asked_for(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["bytes_by_kind", "time_to_accuracy"]  # the first is no main one
    monkeypatch.setattr("slfac_sim.analysis.draw.kinds", lambda family: names)
    none, every = tmp_path / "none", tmp_path / "all"
    lines = lines_of(capsys, "replay", str(record), "--draw", "none", "--out", str(none))
    assert lines[-1] == f"figures: python -m slfac_sim figure {none}"
    assert not (none / "figures").exists()
    lines = lines_of(capsys, "replay", str(record), "--draw", "all", "--out", str(every))
    assert lines[-1] == f"figure: {every}/figures/time_to_accuracy.png"
    assert "slfac_sim.analysis" not in "".join(lines)
    assert sorted(path.stem for path in every.glob("figures/*.png")) == names


def test_ctrl_c_while_drawing_leaves_a_finished_run_and_its_table(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*words: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("slfac_sim.analysis.draw.save_with_table", interrupt)
    folder = tmp_path / "r"
    assert main(["replay", str(record), "--out", str(folder)]) == 130
    out, err = capsys.readouterr()
    assert "simulated time" in out
    assert f"only figures are missing: python -m slfac_sim figure {folder}" in err
    assert summary_in(folder)["status"] == "finished"


def test_figures_that_cannot_be_written_are_told_in_one_line(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*words: object) -> None:
        raise OSError(28, "No space left on device", "somewhere.png")

    monkeypatch.setattr("slfac_sim.analysis.draw.save_with_table", full)
    assert main(["replay", str(record), "--quiet", "--draw", "main", "--out", str(tmp_path / "r")]) == 2
    assert capsys.readouterr().err == "somewhere.png: cannot write the figures (No space left on device)\n"


def test_a_quiet_replay_without_figures_needs_no_drawing_and_no_rich(record: Path, tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules.update(dict.fromkeys(("torch", "matplotlib", "rich", "scipy", "networkx")))
from slfac_sim.cli import main
sys.exit(main(["replay", {str(record)!r}, "--quiet", "--out", {str(tmp_path / "r")!r}]))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert summary_in(tmp_path / "r")["status"] == "finished"


def test_a_stalled_replay_fails_like_a_run(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = ["network.positions=[[20,0],[0,20],[9000,0],[30,0],[0,30]]", "network.outage=allow"]
    assert main(["replay", str(record), *far, "--quiet", "--out", str(tmp_path / "r")]) == 1
    assert "stalled: d002 -> server" in capsys.readouterr().err
    assert summary_in(tmp_path / "r")["status"] == "failed"
    assert main(["replay", str(tmp_path / "r")]) == 2
    assert "only a finished one can be replayed" in capsys.readouterr().err
