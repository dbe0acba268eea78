"""The example script, and the commands of the guide to studies."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from slfac_sim.cli.commands import COMMANDS
from slfac_sim.cli.parsing import arguments_of, parser_of
from slfac_sim.scenario.files import shipped

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "examples" / "device_speed.py"


@pytest.mark.slow
def test_the_script_answers_its_question_from_another_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", str(SCRIPT)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "At 0.1 GFLOP/s the largest part of the time is codec" in done.stdout
    assert "figures and report: runs/studies/small" in done.stdout


GUIDE = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^python -m slfac_sim (.*)$", GUIDE, re.MULTILINE)


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_of_the_guide_is_one(command: str) -> None:
    words = shlex.split(command, comments=True)
    words = words if words[0] in COMMANDS else ["run", *words]
    arguments = arguments_of(parser_of(words[0]), words)
    named = {getattr(arguments, name, None) for name in ("scenario", "study")}
    known = {name.removesuffix(".yaml") for name in (*shipped(), *shipped("studies"))}
    assert named <= {*known, "bandwidth_small.yaml", None}


def test_the_guide_shows_every_kind_of_question() -> None:
    shown = {command.split()[0] for command in SHOWN}
    assert shown >= {"replay", "sweep", "ask", "crossover", "explain", "compare", "list", "export", "cite"}
