"""Figures as pictures and as text: every figure's file, its words, and that it never changes by itself."""

import importlib
import re
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_texts import drawn
from run_folders import ACCURACY, NOT_OF_FAKES, fake_run

from slfac_sim.analysis.accuracy_curves import Series, draw_accuracy
from slfac_sim.analysis.draw import FIGURES, draw, draw_run
from slfac_sim.analysis.run_table import names_of
from slfac_sim.analysis.style import house_style, look
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kinds
from slfac_sim.ledger.folder import load

NAMES = [name for name in kinds(FIGURES) if name not in NOT_OF_FAKES]


def _texts(svg: Path) -> list[str]:
    return re.findall(r"<text [^>]*>([^<]*)</text>", svg.read_text(encoding="utf-8"))


@pytest.fixture
def accuracy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing else: the other figures take their time, and have their own tests."""
    monkeypatch.setattr(
        "slfac_sim.analysis.draw.kinds", lambda package: ["bytes_to_accuracy", "time_to_accuracy"]
    )


def test_both_figures_of_a_run_are_found_by_their_files() -> None:
    assert {"bytes_to_accuracy", "time_to_accuracy"} <= set(NAMES)


@pytest.mark.parametrize("name", kinds(FIGURES))
def test_a_figure_declares_what_the_contract_asks_for(name: str) -> None:
    figure = importlib.import_module(f"{FIGURES}.{name}")
    assert {type(figure.MAIN), type(figure.ONE_RUN)} == {bool}
    assert all(callable(member) for member in (figure.data, figure.draw, figure.table))


def test_a_figure_that_lacks_a_member_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "without_much.py"
    file.write_text("MAIN = True\ndata = table = print\n", encoding="utf-8")
    figures = importlib.import_module(FIGURES)
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{FIGURES}.without_much", raising=False)
    refused = f"{file}: has no ONE_RUN, draw, which {FIGURES}.RunFigure asks for"
    with pytest.raises(BadInput, match=re.escape(refused)):
        draw_run(fake_run(tmp_path / "run"))


def test_only_main_figures_are_drawn_if_asked_and_each_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    files = draw_run(fake_run(tmp_path / "run"), True, lambda *which: told.append(which))
    assert told == [(1, 2, "time_by_part"), (2, 2, "time_to_accuracy")]
    assert [path.name for path in files[::3]] == ["time_by_part.png", "time_to_accuracy.png"]


def test_a_run_is_drawn_into_its_own_folder_twice_alike_to_the_byte(tmp_path: Path) -> None:
    files = draw_run(fake_run(tmp_path / "run"))
    assert [str(path.relative_to(tmp_path.resolve())) for path in files] == [
        f"run/figures/{name}.{end}" for name in NAMES for end in ("png", "svg", "csv")
    ]
    again = draw([load(tmp_path / "run")], tmp_path / "again")
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]
    for path in files[::3]:
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        assert width == 1200
        assert 600 < height < 1200


@pytest.mark.usefixtures("accuracy_alone")
def test_time_to_accuracy_says_when_each_target_was_reached(tmp_path: Path) -> None:
    draw_run(fake_run(tmp_path / "run"))
    texts = _texts(tmp_path / "run/figures/time_to_accuracy.svg")
    for text in ("80 % at 58 s", "90 % at 87 s", "95 % at 145 s", "97 % at 203 s"):
        assert text in texts
    assert {"simulated time (s)", "SL-FAC (our reading), theta 0.9", "97 %"} <= set(texts)


@pytest.mark.usefixtures("accuracy_alone")
def test_bytes_to_accuracy_counts_up_to_the_first_evaluation_above(tmp_path: Path) -> None:
    draw_run(fake_run(tmp_path / "run"))
    texts = _texts(tmp_path / "run/figures/bytes_to_accuracy.svg")
    for text in ("80 % at 242 MB", "90 % at 363 MB", "95 % at 605 MB", "97 % at 847 MB"):
        assert text in texts


@pytest.mark.usefixtures("accuracy_alone")
def test_one_evaluation_that_passes_several_targets_is_marked_once(tmp_path: Path) -> None:
    draw_run(fake_run(tmp_path / "run", accuracy=(0.1, 0.96)))
    marks = [text for text in _texts(tmp_path / "run/figures/time_to_accuracy.svg") if " at " in text]
    assert marks == ["95 % at 29 s"]


@pytest.mark.usefixtures("accuracy_alone")
def test_a_short_run_keeps_its_digits(tmp_path: Path) -> None:
    draw_run(fake_run(tmp_path / "run", round_s=0.123, round_bytes=45_600, accuracy=(0.1, 0.96)))
    assert "95 % at 0.123 s" in _texts(tmp_path / "run/figures/time_to_accuracy.svg")
    assert "95 % at 45.6 kB" in _texts(tmp_path / "run/figures/bytes_to_accuracy.svg")


@pytest.mark.usefixtures("accuracy_alone")
def test_several_runs_are_compared_at_the_highest_target_that_one_reached(tmp_path: Path) -> None:
    fast = fake_run(tmp_path / "fast")
    slow = fake_run(tmp_path / "slow", "raw fp32", 93.5, 800_000_000)
    stopped = fake_run(tmp_path / "cut", "top-k", accuracy=ACCURACY[:6], changes={"status": "interrupted"})
    draw([load(fast), load(slow), load(stopped)], tmp_path / "out")
    texts = _texts(tmp_path / "out/time_to_accuracy.svg")
    assert "SL-FAC (our reading), theta 0.9: 97 % at 203 s" in texts
    assert "raw fp32: 97 % at 654 s" in texts
    assert "top-k (interrupted): 97 % not reached" in texts
    assert "raw fp32: 97 % at 5.6 GB" in _texts(tmp_path / "out/bytes_to_accuracy.svg")


@pytest.mark.usefixtures("accuracy_alone")
def test_runs_of_one_label_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    runs = [load(fake_run(tmp_path / name, "raw")) for name in ("0001", "0002")]
    draw(runs, tmp_path / "out")
    texts = _texts(tmp_path / "out/time_to_accuracy.svg")
    assert {"raw", "0001: 97 % at 203 s", "0002: 97 % at 203 s"} <= set(texts)  # the codec is said once
    assert (tmp_path / "out/time_to_accuracy.csv").read_text().splitlines()[1].startswith('"raw, 0001"')


def test_runs_of_one_label_are_told_apart_by_the_settings_that_differ(tmp_path: Path) -> None:
    for name, bandwidth, air in (("a", "5.0e+06", 0), ("b", "2.0e+07", 0), ("c", "2.0e+07", 1)):
        folder = fake_run(tmp_path / name, "raw")
        settings = f"name: x\nseed: {{air: {air}}}\nnetwork: {{kind: cell, bandwidth: {bandwidth}}}\n"
        (folder / "scenario.yaml").write_text(settings)
    runs = [load(tmp_path / name) for name in "abc"]
    assert names_of(runs) == [
        "raw, air 0, bandwidth 5,000,000",
        "raw, air 0, bandwidth 20,000,000",
        "raw, air 1, bandwidth 20,000,000",
    ]
    assert names_of(runs[:2]) == ["raw, bandwidth 5,000,000", "raw, bandwidth 20,000,000"]
    assert names_of(runs[:1]) == ["raw"]


@pytest.mark.parametrize("accuracy", [(), (0.098,), (0.098, 0.4), (0.1, 1.0)])
def test_a_run_draws_what_it_has(tmp_path: Path, accuracy: tuple[float, ...]) -> None:
    run = load(fake_run(tmp_path / "run", "raw", accuracy=accuracy, changes={"status": "interrupted"}))
    with house_style():
        for name in NAMES:
            figure = importlib.import_module(f"{FIGURES}.{name}")
            (label,) = names_of([run])
            texts = drawn(figure.draw([replace(figure.data(run), label=label)]))
            assert any(text.get_text().startswith("raw (interrupted)") for text in texts)


def test_every_point_is_on_the_paper_and_errors_halve_at_equal_heights() -> None:
    series = Series("x", np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.9, 1.0]), {0.9: 1.0, 0.99: 2.0})
    with house_style():
        axes = draw_accuracy([series], "s", str).axes[0]
    low, high = axes.get_ylim()
    assert low == 0.0
    assert 0.9999 < high < 1.0
    heights = axes.transData.transform([(0.0, 1 - 2.0**-k) for k in range(1, 8)])[:, 1]
    np.testing.assert_allclose(np.diff(heights), np.diff(heights)[0])


def test_curves_differ_in_colour_and_in_grey_as_well() -> None:
    assert len({(look(i).marker, look(i).dashes) for i in range(28)}) == 28
    assert len({look(i).colour for i in range(30)}) == 30
    assert len({look(i) for i in range(140)}) == 140
