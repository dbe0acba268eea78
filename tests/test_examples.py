"""The examples: each one runs from another folder, ends well, and its last lines answer its question."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from slfac_sim import cli

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = sorted((ROOT / "examples").glob("*.py"))
ANSWERS = {
    "bandwidth": r"figures and report: runs/studies/by_bandwidth",
    "bottleneck": r"raw values, [\d.]+ simulated s: the largest part is waiting for air",
    "crossover": r"slfac stops beating raw at network\.bandwidth = [\d.]+ MHz \(median of 2 seeds, ",
    "device_speed": r"At 0\.1 GFLOP/s the largest part of the time is codec",
    "luck": r"[\d.]+ times as fast \[[\d.]+, [\d.]+\]",
    "which_bandwidth": r"the smallest network\.bandwidth with .* <= 3 s for each of 2 seeds is",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all examples run, so that they share trainings."""
    return tmp_path_factory.mktemp("examples")


def test_every_example_is_tried() -> None:
    assert {path.stem for path in SCRIPTS} == set(ANSWERS)


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_example_answers_its_question(script: Path, place: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(ANSWERS[script.stem], done.stdout), done.stdout


def test_an_example_says_how_it_is_run() -> None:
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert text.startswith('"""')
        assert f"\n    python examples/{script.name}\n" in text
        assert 'if __name__ == "__main__":' in text  # worker processes import the script again


GUIDE = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^python -m slfac_sim (.*)$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_guide_is_one(command: str) -> None:
    words = shlex.split(command, comments=True)
    words = words if words[0] in cli.COMMANDS else ["run", *words]
    arguments = cli._parser(words[0]).parse_args(words)
    named = [
        str(value) for value in vars(arguments).values() if str(value).startswith(("examples", "scenarios"))
    ]
    assert all((ROOT / name).is_file() for name in named)


def test_the_guide_shows_every_kind_of_question() -> None:
    shown = {command.split()[0] for command in COMMANDS}
    assert shown >= {"replay", "sweep", "ask", "crossover", "explain", "compare", "list", "export", "cite"}
