"""docs/scenarios.md: every block on it is read."""

import re
import shlex
from pathlib import Path

import pytest

import slfac_sim as sf
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.scenario.files import load
from slfac_sim.scenario.schema import Scenario

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
FILES = {name: text for kind, name, text in BLOCKS if name}
COMMANDS = [line for kind, _, text in BLOCKS if kind == "sh" for line in text.splitlines()]
ROWS = re.findall(r"^\| `([^`]+)`[^|]*\| `([^`]+)`[^|]*\|$", PAGE, re.MULTILINE)


@pytest.fixture(autouse=True)
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".yaml")])
def test_every_scenario_of_the_page_is_read(name: str) -> None:
    assert load(name).model.width == 16


def test_the_plug_in_of_the_page_is_taken() -> None:
    assert (load("own.yaml").codec.uplink.bits, kind_of(load("own.yaml").codec.downlink)) == (5, "my_codec")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_is_understood(command: str) -> None:
    program, verb, *given = shlex.split(command)
    assert (program, verb) == ("slfac-sim", "check")
    assert load(given[0], given[1:]) != load(given[0])


def test_the_python_of_the_page_runs() -> None:
    (text,) = (text for kind, name, text in BLOCKS if kind == "python" and not name)
    names: dict[str, Scenario] = {}
    exec(text, names)
    assert names["scenario"] == sf.load("mine.yaml", "devices=5", "evaluation.targets+=0.99", seed=4)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_is_short_means_what_the_page_says(row: tuple[str, str]) -> None:
    short, long = (text.replace(", ...", ", uplink: raw, downlink: raw") for text in row)
    key = short.partition(":")[0]
    kept = re.sub(rf"^{key}:.*\n", "", FILES["mine.yaml"], flags=re.MULTILINE)
    read = []
    for text in (short, long):
        Path("x.yaml").write_text(f"{kept}{text}\n", encoding="utf-8")
        read.append(load("x.yaml"))
    assert read[0] == read[1]
    assert len(ROWS) == 7
