"""Data that a scenario names: beside it, in the working folder, and beside a shipped scenario."""

import importlib.util
from pathlib import Path

import pytest
from told import sentences
from worlds import TINY

from slfac_sim.cli import main
from slfac_sim.scenario.files import load, shipped
from slfac_sim.scenario.fingerprint import point_key

ROOT = Path(__file__).parent.parent
SLOW, FAST = "time_s,rate_bps\n0,1000000\n", "time_s,rate_bps\n0,9000000\n"
TRACE = "network: {kind: trace, file: rates.csv}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    return tmp_path


def over(text: str, file: str = "sub/over.yaml", base: Path | str = TINY) -> str:
    Path(file).write_text(f"base: {base}\n{text}", encoding="utf-8")
    return file


def rate_bps(scenario: str, *overrides: str) -> float:
    network = load(scenario, overrides).network
    lines = Path(network.file).read_text(encoding="utf-8").splitlines()
    return float(lines[1].split(",")[1])


def test_a_file_lies_beside_the_scenario_from_wherever_that_is_read(here: Path) -> None:
    Path("sub/rates.csv").write_text(SLOW)
    over(TRACE)
    for name in ("sub/over.yaml", str(here / "sub" / "over.yaml")):
        assert rate_bps(name) == 1e6
        assert main(["check", name]) == 0
    Path("rates.csv").write_text(FAST)
    assert rate_bps("sub/over.yaml") == 1e6  # which comes before the working folder
    assert rate_bps("sub/over.yaml", "network.file=rates.csv") == 9e6


def test_what_does_not_lie_there_is_relative_to_the_working_folder() -> None:
    Path("rates.csv").write_text(FAST)
    assert rate_bps(over(TRACE)) == 9e6


def test_a_base_has_its_files_beside_it() -> None:
    Path("sub/rates.csv").write_text(SLOW)
    over(TRACE)
    Path("rates.csv").write_text(FAST)
    assert rate_bps(over("seed: 3\n", "above.yaml", "sub/over.yaml")) == 1e6
    assert rate_bps(over(TRACE, "above.yaml", "sub/over.yaml")) == 9e6


def test_a_change_of_what_lies_beside_it_is_another_scenario() -> None:
    Path("sub/rates.csv").write_text(SLOW)
    first = point_key(load(over(TRACE)))
    Path("sub/rates.csv").write_text(FAST)
    assert point_key(load("sub/over.yaml")) != first


def test_a_file_that_is_nowhere_is_named_as_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", over(TRACE)]) == 2
    said = "network.file: 'rates.csv' cannot be read (No such file or directory)"
    assert sentences(capsys.readouterr().err)[-1].endswith(said)


def test_a_shipped_scenario_has_its_own_from_any_folder_and_no_other() -> None:
    Path("drive.csv").write_text("time_s,device,x_m,y_m\n0,d000,1,1\n")
    file = load("drive").network.change["vehicles"].file
    assert file.read_bytes() == (ROOT / "scenarios" / "drive.csv").read_bytes()
    assert "drive.csv" not in shipped()


def test_the_drive_is_what_its_tool_writes() -> None:
    spec = importlib.util.spec_from_file_location("write_drive", ROOT / "tools" / "write_drive.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.text() == tool.FILE.read_text(encoding="utf-8")
