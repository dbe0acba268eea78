"""docs/tutorial.md and docs/howto: from top to bottom in a folder of their own, and what they show is said.

A block with a name is a file, `sh` is run, `console` is such as can be typed, and the lines of `text`
are among those that the commands of the `sh` above it said, whatever their numbers.
"""

import contextlib
import io
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from slfac_sim.cli import COMMANDS, main
from slfac_sim.cli.parsing import arguments_of, parser_of
from slfac_sim.ledger.folder import load

DOCS = Path(__file__).resolve().parent.parent / "docs"
GUIDES = [DOCS / "tutorial.md", *sorted((DOCS / "howto").glob("*.md"))]
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OURS = re.compile(r"^(?:slfac-sim|python -m slfac_sim) (.+)$", re.MULTILINE)
# What a guide learns here, where the page itself learns longer: two rounds if nothing is said.
LIGHT: dict[str, tuple[str, ...]] = {
    "bandwidth_trace.md": (),
    "own_data.md": (),
    "tutorial.md": (
        "data={kind: synthetic, train_samples: 400, test_samples: 60, size: 28, classes: 4}",
        "protocol.rounds=2",
        "protocol.steps=5",
        "evaluation.targets=[0.5]",
    ),
    "many_devices.md": (
        "data={kind: synthetic, train_samples: 240, test_samples: 40, size: 28, classes: 10}",
        "devices.count=40",
        "protocol.participation.select.count=4",
        "protocol.rounds=2",
    ),
}
_TRAINS = ("run", "check", "sweep")


def commands(text: str) -> list[list[str]]:
    """Return the words of each command of ours in a block, without the program's name."""
    return [_with_verb(shlex.split(line, comments=True)) for line in _OURS.findall(text.replace("\\\n", " "))]


def _with_verb(words: list[str]) -> list[str]:
    return words if words[0] in COMMANDS else ["run", *words]


def words_of(line: str) -> frozenset[str]:
    """Return the words of a line that is said, without numbers, names of folders and what depends on them."""
    return frozenset(
        re.findall(
            r"[a-z]{2,}",
            re.sub(r"\S*/\S*|\w*\d\w*|not reached|slfac-sim|python -m slfac_sim", "", line.lower()),
        )
    )


def _the_codec_is_there_first() -> None:
    codec, raw = (load(folder).time_to_accuracy_s[0.8] for folder in sorted(Path("runs/drive").iterdir())[:2])
    assert codec < raw


AFTERWARDS = {"bandwidth_trace.md": _the_codec_is_there_first}


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_a_guide_works_from_top_to_bottom(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said: list[frozenset[str]] | None = None
    cells = ModuleType("__main__")
    for kind, name, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if name:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(text, encoding="utf-8")
        elif kind == "sh":
            said = [words_of(line) for words in commands(text) for line in _run(words, page.name)]
        elif kind == "console":
            said = None
        elif kind == "python":
            exec(compile(text, page.name, "exec"), vars(cells))
        elif kind == "text" and said is not None:
            for line in text.splitlines():
                assert not words_of(line) or words_of(line) in said, line
    AFTERWARDS.get(page.name, list)()


def _run(words: list[str], page: str) -> list[str]:
    if words[0] in _TRAINS:
        words = [*words, *LIGHT.get(page, ("protocol.rounds=2",))]
    if words[0] in ("run", "replay"):
        words = [*words, "--draw", "none"]
    words = [str(path) for word in words for path in (sorted(Path().glob(word)) if "*" in word else [word])]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = main(words)
    assert status == 0, f"{shlex.join(words)}\n{out.getvalue()}"
    return out.getvalue().splitlines()


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_what_is_shown_and_not_run_can_be_typed(page: Path) -> None:
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    for words in (words for kind, _, text in blocks if kind == "console" for words in commands(text)):
        assert arguments_of(parser_of(words[0]), words).command == words[0]
