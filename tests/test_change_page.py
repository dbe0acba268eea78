"""docs/change.md: its files are read and its commands run."""

import re
import shlex
from pathlib import Path

import pytest

from slfac_sim.cli import main

DOCS = Path(__file__).parent.parent / "docs"
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = _BLOCK.findall((DOCS / "change.md").read_text(encoding="utf-8"))
TRACE = _BLOCK.findall((DOCS / "howto" / "bandwidth_trace.md").read_text(encoding="utf-8"))
FILES = {name: text for _, name, text in [*TRACE, *BLOCKS] if name}
COMMANDS = [line for kind, _, text in BLOCKS if kind == "sh" for line in text.splitlines()]


def test_every_command_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    for command in COMMANDS:
        words = shlex.split(command)
        assert words[:3] == ["python", "-m", "slfac_sim"]
        assert main(words[3:]) == 0, capsys.readouterr().err
    assert len(COMMANDS) == 10
