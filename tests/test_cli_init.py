"""`init`: what it writes runs as it stands, says what its settings are, and shows their true defaults."""

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest
import yaml

import slfac_sim
from slfac_sim.cli import main
from slfac_sim.cli.init import SHIPPED
from slfac_sim.foundation.units import parse_quantity, written
from slfac_sim.scenario.files import dump, load
from slfac_sim.scenario.template import ANY_COUNT, LIKELY
from slfac_sim.studies.files import read_study
from slfac_sim.studies.plan import plan

ROOT = Path(__file__).resolve().parent.parent
FREE = [
    "data={kind: synthetic, train_samples: 160, test_samples: 64}",
    "model.width=4",
    "learning.batch=8",
    "protocol.rounds=1",
    "protocol.steps=1",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that we are in, called as the command."""
    monkeypatch.setattr(sys, "argv", ["slfac-sim"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def uncommented(text: str) -> str:
    """Return `text` with every default in force."""
    return re.sub(r"^( *)#(?=\w)", r"\1", text, flags=re.MULTILINE)


@pytest.mark.parametrize("template", SHIPPED)
def test_a_template_says_what_the_shipped_scenario_says(template: str, here: Path) -> None:
    assert main(["init", "mine.yaml", "--template", template]) == 0
    counted = template in ("quick", "wifi")  # speeds of so many devices by name
    speeds = (f"devices.speed={json.dumps(ANY_COUNT)}",) if counted else ()
    shipped = dump(load(SHIPPED[template], ["name=mine", "data.kind=mnist", *speeds]))
    assert dump(load("mine.yaml")) == shipped
    text = (here / "mine.yaml").read_text(encoding="utf-8")
    assert uncommented(text) != text
    (here / "mine.yaml").write_text(uncommented(text), encoding="utf-8")
    assert dump(load("mine.yaml")) == shipped


@pytest.mark.parametrize("template", SHIPPED)
def test_the_number_of_devices_can_be_changed(template: str, here: Path) -> None:
    assert main(["init", "mine.yaml", "--template", template]) == 0
    assert load("mine.yaml", ["devices=20"]).devices.count == 20


@pytest.mark.parametrize("template", [*SHIPPED, "study"])
def test_a_template_is_in_conformance_and_commented(
    template: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "mine.yaml", "--template", template]) == 0
    out = capsys.readouterr().out
    text = (here / "mine.yaml").read_text(encoding="utf-8")
    first, *lines = text.splitlines()
    schema = Path(first.removeprefix("# yaml-language-server: $schema="))
    assert schema.is_file()
    jsonschema.validate(yaml.safe_load(text), json.loads(schema.read_text(encoding="utf-8")))
    assert all(len(line) <= 110 for line in lines)
    settings = [(before, line) for before, line in pairwise(lines) if re.match(r" *#?\w+:", line)]
    bare = [line for before, line in settings if not before.lstrip().startswith("# ")]
    assert [line for line in bare if not line.startswith(("  network.", "  codec:", "    "))] == []
    assert f"slfac-sim {'sweep ' if template == 'study' else ''}mine.yaml" in out
    assert "slfac-sim check mine.yaml" in out


def test_every_default_that_is_offered_is_in_a_template(here: Path) -> None:
    texts = []
    for template in SHIPPED:
        main(["init", f"{template}.yaml", "--template", template])
        texts.append((here / f"{template}.yaml").read_text(encoding="utf-8"))
    for section, names in LIKELY.items():
        for name in names:
            offered = f"{'  ' if section else ''}#{name}: "
            said = f"{'  ' if section else ''}{name}: "
            lines = [line for text in texts for line in text.splitlines()]
            assert any(line.startswith((offered, said)) for line in lines), f"{section}.{name}"


def test_a_template_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    assert capsys.readouterr().out.startswith("scenario.yaml\n")
    assert main(["scenario.yaml", *FREE, "--quiet", "--out", "r"]) == 0
    assert json.loads((here / "r" / "summary.json").read_text())["scenario"] == "scenario"


def test_the_study_sweeps(here: Path) -> None:
    assert main(["init", "--template", "study"]) == 0
    whole = plan(read_study("study.yaml"))
    assert len(whole.points) == 6
    devices = "devices={count: 2, speed: {kind: log_normal, median: 1 GFLOP/s, sigma: 0.5}}"
    assert main(["sweep", "study.yaml", *FREE, devices, "--quiet", "--workers", "1"]) == 0
    assert json.loads((here / "runs/studies/study/summary.json").read_text())["points"]


def test_a_file_that_is_there_is_not_replaced_unless_asked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "scenario.yaml").write_text("mine", encoding="utf-8")
    assert main(["init"]) == 2
    assert capsys.readouterr().err == (
        "scenario.yaml: exists already; name another file (--force replaces it)\n"
    )
    assert (here / "scenario.yaml").read_text() == "mine"
    assert main(["init", "--force"]) == 0
    assert (here / "scenario.yaml").read_text() != "mine"
    (here / "folder.yaml").mkdir()
    assert main(["init", "folder.yaml", "--force"]) == 2
    assert main(["init", "nowhere/s.yaml"]) == 2
    assert capsys.readouterr().err.endswith("nowhere/s.yaml: no folder nowhere\n")


def test_the_schema_can_lie_beside_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--schema"]) == 0
    written_there = (here / "scenario.schema.json").read_text(encoding="utf-8")
    assert written_there == (ROOT / "docs" / "scenario.schema.json").read_text(encoding="utf-8")
    text = (here / "scenario.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    assert main(["init", "other.yaml", "--schema"]) == 2
    assert capsys.readouterr().err.startswith("scenario.schema.json: exists already")
    assert not (here / "other.yaml").exists()


def test_the_schema_is_named_relatively_below_one_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "env" / "docs").mkdir(parents=True)
    (here / "env" / "docs" / "scenario.schema.json").touch()
    (here / "sub").mkdir()
    monkeypatch.setattr(slfac_sim, "__path__", [str(here / "env"), *slfac_sim.__path__])
    assert main(["init", "sub/mine.yaml"]) == 0
    text = (here / "sub" / "mine.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../env/docs/scenario.schema.json\n")


@pytest.mark.parametrize("name", ["latest", "studies", "2 of mine", "./---"])
def test_a_name_that_cannot_be_is_changed(name: str, here: Path) -> None:
    assert main(["init", f"{name}.yaml"]) == 0
    load(f"{name}.yaml")


@pytest.mark.parametrize(
    ("value", "dimension", "text"),
    [(3.5e9, "frequency", "3.5 GHz"), (150.0, "length", "150 m"), (0.005, "duration", "5 ms"),
     (0.0, "duration", "0 s"), (10 ** -0.7, "power", "23 dBm"), (0.3 + 1e-9, "power", "0.300000001 W")],
)  # fmt: skip
def test_a_quantity_is_written_in_short_and_exactly(value: float, dimension: str, text: str) -> None:
    assert written(value, dimension) == text
    assert parse_quantity(text, dimension) == value
