"""Whole runs over networks that change: laws hold, replays are live runs, a changed file is another run."""

import shutil
from pathlib import Path

import pytest
from test_resume import SHORT, killed, resumed, rows, undisturbed
from told import sentences
from worlds import TINY, scenario

from slfac_sim.cli import main
from slfac_sim.foundation.errors import BadInput
from slfac_sim.runs.run import prepare, run
from slfac_sim.scenario.fingerprint import learning_key, point_key

FILE = "time_s,up_bps,down_bps\n0,1e6,2e6\n0.05,2e6,4e6\n0.1,0,1e6\n"
TRACE = "network={kind: trace, file: drive.csv}"
WIRED = (
    "network={kind: topology, access: {home: {network: wifi, devices: 5}},"
    " links: {core: {between: [home, server], capacity: 20 Mbit/s, latency: 2 ms}}}"
)
AWAY = "{kind: outages, mean_on: 200 ms, mean_off: 50 ms"
CHANGES = {
    "trace": [TRACE],
    "outages": [f"network.change.away={AWAY}, devices: all}}"],
    "medium": ["network.medium=ofdma", f"network.change.away={AWAY}, on: up}}"],
    "fading": [
        "network.fading={kind: block, coherence: 20 ms}",
        "network.change.drive={kind: trace, devices: [d001, d003], file: drive.csv}",
    ],
    "wifi": ["network=wifi", f"network.change.away={AWAY}, on: air}}"],
    "background": ["network.change.others={kind: background, on: up, rate: 200 kbit/s, size: 4 kB}"],
    "background on a wire": [
        WIRED,
        "network.change.others={kind: background, on: core, rate: 15 Mbit/s, size: 4 kB, sizes: pareto}",
        "network.change.calls={kind: background, on: home, rate: 500 kbit/s, source: on_off, mean_on: 10 ms}",
    ],
    "wire": [WIRED, "network.change.slow={kind: trace, on: core, file: drive.csv}"],
    "cut wire": [WIRED, f"network.change.cut={AWAY}, on: core}}"],
    "tcp": [WIRED, "network.transport=tcp", f"network.change.away={AWAY}, devices: all}}"],
    "bursts": [
        "network.transport={kind: udp, tries: null}",
        "network.change.bursts={kind: gilbert_elliott, devices: all}",
        "network.change.drive={kind: trace, devices: all, file: drive.csv}",
    ],
    "measured behind a wire": [
        WIRED.replace("network: wifi", "network: {kind: trace, file: drive.csv}"),
        "network.change.slow={kind: outages, on: core home->server}",
    ],
}


@pytest.fixture(autouse=True)
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = Path("drive.csv")
    file.write_text(FILE)
    return file


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("still") / "run"
    run(prepare(scenario(), folder, threads=1))
    return folder


@pytest.mark.parametrize("change", CHANGES)
def test_a_replay_is_the_live_run_and_keeps_the_laws(change: str, record: Path) -> None:
    words = ["run", str(TINY), *CHANGES[change], "--strict", "--out", "live", "--quiet", "--draw", "none"]
    assert main(words) == 0
    words = ["replay", str(record), *CHANGES[change], "--out", "replay", "--quiet", "--draw", "none"]
    assert main(words) == 0
    assert rows(Path("replay")) == rows(Path("live"))
    assert rows(Path("live"))["transfers"] != rows(record)["transfers"]


def test_a_changed_file_is_another_run_of_the_same_training(drive: Path) -> None:
    first = scenario(TRACE)
    keys = point_key(first), learning_key(first, 1)
    drive.write_text(FILE.replace("1e6", "3e6"))
    assert point_key(scenario(TRACE)) != keys[0]
    assert learning_key(scenario(TRACE), 1) == keys[1]


def test_a_run_goes_on_over_its_trace_and_over_no_other(drive: Path) -> None:
    undisturbed(Path("whole"), TRACE)
    killed(Path("cut"), 30, TRACE)
    shutil.copytree("cut", "other")
    resumed(Path("cut"))
    assert rows(Path("cut")) == rows(Path("whole"))
    drive.write_text(FILE.replace("1e6", "3e6"))
    with pytest.raises(BadInput, match=r"\(file network\.file: drive\.csv: "):
        resumed(Path("other"))
    assert len(SHORT) == 2


def test_verify_tells_that_a_file_is_another(drive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    undisturbed(Path("run"), TRACE)
    assert main(["verify", "run"]) == 0
    drive.write_text(FILE.replace("1e6", "3e6"))
    assert main(["verify", "run"]) == 1
    assert "table" in capsys.readouterr().out


def test_losses_that_are_given_up_steer_learning(drive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lossy = ["network.transport=udp", "network.change.bursts={kind: gilbert_elliott, devices: all}"]
    assert main(["check", str(TINY), *lossy]) == 0
    assert "may lose transfers" in capsys.readouterr().out
    assert main(["check", str(TINY), "network.transport=udp"]) == 0
    assert "may lose transfers" not in capsys.readouterr().out


WRONG = {
    "network.change.x={kind: outages}": "say what changes: on: a link, or devices: all or a list",
    "network.change.x={kind: outages, on: upp}": "network.change.x.on: no 'upp' among up, down",
    "network.change.x={kind: outages, devices: [d9]}": "network.change.x.devices: no 'd9' among d000 to d004",
    "network.change.x=trac": "no 'trac' among background, gauss_markov, gilbert_elliott, outages, positions, "
    "random_waypoint, trace; did you mean 'trace'?",
    "network.change.x={kind: background, rate: 1 Mbit/s}": "network.change.x: say over which link it",
    "network.change.x={kind: background, on: upp, rate: 1 Mbit/s}": "network.change.x.on: no 'upp' among up",
    "network.change.x={kind: background, on: up, rate: 1 Tbit/s}": "background traffic of 1e+12 bit/s on up",
    "network={kind: trace, file: none.csv}": "network.file: 'none.csv' cannot be read (No such file",
}


@pytest.mark.parametrize("override", WRONG)
def test_check_tells_what_cannot_be(override: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(TINY), override]) == 2
    (line,) = sentences(capsys.readouterr().err)
    assert WRONG[override] in line


def test_a_run_goes_on_over_its_background() -> None:
    others = "network.change.others={kind: background, on: up, rate: 1 Mbit/s, size: 40 kB}"
    undisturbed(Path("whole"), others)
    killed(Path("cut"), 30, others)
    resumed(Path("cut"))
    assert rows(Path("cut")) == rows(Path("whole"))
