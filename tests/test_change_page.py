"""docs/change.md: its files are read, its commands run, and what it says of them came out."""

import re
import shlex
from pathlib import Path

import pytest

from slfac_sim.cli import main
from slfac_sim.ledger.folder import load

PAGE = (Path(__file__).parent.parent / "docs" / "change.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
FILES = {name: text for _, name, text in BLOCKS if name}
COMMANDS = [line for kind, _, text in BLOCKS if kind == "sh" for line in text.splitlines()]


def test_the_page_runs_from_the_csv_to_the_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    said = []
    for command in COMMANDS:
        words = [word for text in shlex.split(command) for word in _expanded(text)]
        assert words[:3] == ["python", "-m", "slfac_sim"]
        assert main(words[3:]) == 0, capsys.readouterr().err
        said.append(capsys.readouterr().out)
    assert "1.23" in said[0]
    assert "5.15" in said[0]
    codec, raw, *_ = sorted(Path("runs/drive").iterdir())
    reached = [load(folder).time_to_accuracy_s[0.8] for folder in (codec, raw)]
    assert reached[0] < reached[1]
    assert Path("figures/time_to_accuracy.png").is_file()
    assert len(COMMANDS) == 15


def _expanded(word: str) -> list[str]:
    return [str(path) for path in sorted(Path().glob(word))] if word.endswith("/*") else [word]
