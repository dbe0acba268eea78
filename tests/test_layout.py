"""Tables of the command line at any width: no number is cut, no label is markup, lines fit where they can."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import TINY

from slfac_sim.analysis.cli import main as analysis
from slfac_sim.analysis.text_tables import aligned
from slfac_sim.cli import main
from slfac_sim.cli.closing import print_summary
from slfac_sim.progress.run import RunProgress
from slfac_sim.progress.sweep import SweepProgress

WIDTHS = range(40, 201, 20)
NAME = "[red]x_1[/red] $y_2$ & <b>"
NUMBER = st.floats(-1e9, 1e9).map(lambda value: f"{value:,.3f}")
WORDS = st.lists(st.text("abxyz[]$_/", min_size=1, max_size=12), min_size=1, max_size=8).map(" ".join)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str]:
    """Return the lines of a table and the sides of its columns."""
    sides = draw(st.text("lr", min_size=1, max_size=9))
    row = st.tuples(*(NUMBER if side == "r" else WORDS for side in sides))
    return [list(line) for line in draw(st.lists(row, min_size=1, max_size=4))], sides


@settings(max_examples=40)
@given(tables(), st.integers(40, 200))
def test_every_word_of_a_table_is_whole_and_lines_are_as_long_as_there_is_room(
    table: tuple[list[list[str]], str], width: int
) -> None:
    lines, sides = table
    shown = aligned(lines, sides, width)
    words = Counter(word for line in lines for cell in line for word in re.split(r"[\s/]+", cell) if word)
    assert not words - Counter(word for word in re.split(r"[\s/]+", shown) if word)
    longest = max(len(word) for line in lines for cell in line for word in cell.split())
    if 2 * longest + 2 <= width // 2:  # the first column, and one more
        assert max(map(len, shown.splitlines())) <= width


@settings(max_examples=20)
@given(tables())
def test_without_a_width_each_line_is_one_line(table: tuple[list[list[str]], str]) -> None:
    lines, sides = table
    assert len(aligned(lines, sides).splitlines()) == len(lines)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with a name that other programs would take for markup, and a tensor."""
    top = tmp_path_factory.mktemp("tables")
    for seed in ("0", "1"):
        folder = top / f"[b]{seed}"
        assert main(["run", str(TINY), "--seed", seed, "--out", str(folder), "--quiet"]) == 0
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        (folder / "summary.json").write_text(json.dumps(summary | {"label": NAME}), encoding="utf-8")
    (top / "study").mkdir()
    study = f"name: s\nbase: {TINY}\naxes:\n  network.bandwidth: [1 MHz, 2 MHz]\n"
    (top / "study/s.yaml").write_text(study, encoding="utf-8")
    np.save(top / "t.npy", np.random.default_rng(0).normal(size=(2, 4, 8, 8)).astype(np.float32))
    assert main(["codec", "encode", str(top / "t.npy"), "codec=slfac", "-o", str(top / "x.slf")]) == 0
    return top


def _printed(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert (analysis(argv[1:]) if argv[0] == "analysis" else main(argv)) == 0
    return capsys.readouterr().out


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.,])[\d][\d.,]*\d(?![\w])", text))


COMMANDS = {
    "explain": ["explain", "{top}/[b]0", "--steps", "1"],
    "list": ["list", "{top}"],
    "compare": ["compare", "{top}/[b]0", "{top}/[b]1"],
    "codec_compare": ["codec", "compare", "{top}/t.npy", "--axis", "codec=raw,slfac,topk"],
    "codec_inspect": ["codec", "inspect", "{top}/x.slf"],
    "check": ["check", str(TINY)],
    "check_cuts": ["check", str(TINY), "--cuts"],
    "check_study": ["check", "{top}/study/s.yaml"],
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_no_table_of_a_command_cuts_a_number_at_any_width(
    kind: str, folders: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # what this computer takes differs each time
    monkeypatch.setattr("slfac_sim.forecast.report.about", lambda _: "1.5 s")
    monkeypatch.setattr(
        "slfac_sim.studies.cost.Cost.lines", lambda *_: [("CPU hours", f"about {'1.5 s, ' * 30}")]
    )
    argv = [word.format(top=folders) for word in COMMANDS[kind]]
    monkeypatch.setenv("COLUMNS", "0")
    whole = _printed(argv, capsys)
    for width in (40, 80) if kind.startswith("check") else WIDTHS:
        monkeypatch.setenv("COLUMNS", str(width))
        shown = _printed(argv, capsys)
        assert not _numbers(whole) - _numbers(shown) or kind == "codec_compare"  # which measures time
        assert "…" not in shown


def test_the_closing_table_cuts_no_number(
    folders: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = json.loads((folders / "[b]0/summary.json").read_text(encoding="utf-8"))
    for width in (0, *WIDTHS):
        monkeypatch.setenv("COLUMNS", str(width))
        print_summary(summary)
        shown = capsys.readouterr().out
        assert {f"{summary['bytes']['total']:,}", summary["digest"][:16]} <= set(shown.split())
        assert not width or max(map(len, shown.splitlines())) <= width


def test_a_label_is_text_and_no_markup(
    folders: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    assert _printed(["explain", str(folders / "[b]0")], capsys).startswith(f"{NAME}: where the simulated")
    assert f"{NAME}  finished" in _printed(["list", str(folders)], capsys)
    assert NAME in _printed(["compare", str(folders / "[b]0"), str(folders / "[b]1")], capsys)
    assert "[b]0 " in _printed(["list", str(folders)], capsys)
    print_summary(json.loads((folders / "[b]0/summary.json").read_text(encoding="utf-8")))
    assert f"tiny: {NAME}\n" in capsys.readouterr().out


def test_progress_takes_names_for_text(capsys: pytest.CaptureFixture[str]) -> None:
    with RunProgress(quiet=False) as progress:
        progress.say(NAME)
    with SweepProgress(quiet=False) as sweep:
        sweep.say(NAME)
    assert capsys.readouterr().err.count(NAME) == 2
