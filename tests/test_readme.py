"""The README: its commands are such as can be run, and its errors are what is told."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from slfac_sim.cli import COMMANDS, main
from slfac_sim.scenario.files import ScenarioError, load, read, shipped

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
KINDS = re.findall(r"```(\w*)\n(.*?)```", TEXT, re.S)
BLOCKS = [block for kind, block in KINDS if kind != "python"]
SET_UP = 'python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e ".[test]" && '
FETCH = ".venv/bin/python -m slfac_sim data fetch mnist && "
LINES = [line for block in BLOCKS for line in block.splitlines() if line.startswith("slfac-sim ")]


def under(heading: str) -> str:
    """Return the command under a bold heading, as .ci/run takes it."""
    after = TEXT[TEXT.index(f"**{heading}**") :]
    return next(line for line in after.splitlines() if line.startswith("python3 -m venv"))


def test_the_two_commands_do_all_the_set_up() -> None:
    assert (
        under("The main job") == SET_UP + FETCH + ".venv/bin/python -m slfac_sim scenarios/100_devices.yaml"
    )
    assert under("The tests") == SET_UP + FETCH + ".venv/bin/python -m pytest -n 2"


def test_no_figure_is_left_to_be_filled_in() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        assert not re.search(r"@[A-Z_]+@", document.read_text(encoding="utf-8")), document


@pytest.mark.parametrize("line", LINES)
def test_every_command_scenario_and_override_of_the_readme_is_legal(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    verb, *words = shlex.split(line.split("#")[0])[1:]
    if verb not in COMMANDS:
        verb, words = "run", [verb, *words]
    if verb in ("run", "check"):
        load(words[0], [word for word in words[1:] if "=" in word])
    elif verb == "schema":
        assert main([verb, *words]) == 0
    elif verb == "sweep":
        assert f"{words[0]}.yaml" in shipped("studies")


def test_the_errors_of_the_readme_are_what_is_told() -> None:
    shown = next(block for block in BLOCKS if "teta" in block).splitlines()
    lines = (ROOT / "scenarios" / "100_devices.yaml").read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("codec:"))
    faulty = ["codec:", "  uplink: raw", "  downlink: {kind: slfac, teta: 0.9}"]
    lines = [line.replace("kind: cell", "kind: cel") for line in lines]
    with pytest.raises(ScenarioError) as caught:
        read("\n".join([*lines[:place], *faulty, *lines[place + 1 :]]), "s.yaml")
    assert str(caught.value).splitlines() == shown


def test_what_the_readme_does_in_python_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = [block for kind, block in KINDS if kind == "python"]
    left: dict[str, Any] = {}
    exec(code.replace('"quick"', repr(str(ROOT / "tests" / "tiny.yaml"))), left)
    assert left["slow"].simulated_s > left["run"].simulated_s


def test_what_the_readme_links_to_is_there_and_its_pictures_are_small() -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", TEXT) + re.findall(r'src="([^"]+)"', TEXT)
    assert len(linked) > 30
    for name in linked:
        assert (ROOT / name).is_file(), name
        assert not name.startswith("docs/images/") or (ROOT / name).stat().st_size < 150_000, name
