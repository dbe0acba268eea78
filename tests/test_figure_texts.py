"""Every figure, found by itself, over axes of many spans: no two texts overlap, none leaves the canvas."""

import importlib
import math
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_texts import drawn, faults
from hypothesis import given, settings
from hypothesis import strategies as st
from run_folders import fake_run
from study_folders import fake_study
from worlds import TINY

from slfac_sim.analysis import cuts_figure, draw, inverse_figure
from slfac_sim.analysis.laying_out import broken
from slfac_sim.analysis.studies import report as study_report
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.style import canvas, house_style, say
from slfac_sim.analysis.ticks import log_axis
from slfac_sim.cli import main
from slfac_sim.codec_lab.measure import Measured
from slfac_sim.codec_lab.rate_distortion import Curve
from slfac_sim.codec_lab.rate_distortion import figure_of as rates_figure
from slfac_sim.codec_lab.spectra import compaction_figure, spectra_figure, spectrum_of
from slfac_sim.foundation.plugins import kinds
from slfac_sim.ledger.folder import load

SPANS = (1.5, 2.2, 5.0, 12.0, 40.0, 1000.0)
LABELS = ("[red] $x_1$ & <b>_", "_hidden", "SL-FAC (our reading), theta 0.9, 2..8 bits", "a " * 70)
WORLDS = {
    "slow": ["network.bandwidth=400 kHz", "network.radius=300 m"],
    "plain": [],
    "fast": ["network.bandwidth=2 GHz", "devices.speed={kind: fixed, speed: 1e14}", "network.radius=12 m"],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs whose seconds, rates and joules differ by orders of magnitude."""
    top = tmp_path_factory.mktemp("runs")
    for name, overrides in WORLDS.items():
        argv = ["run", str(TINY), *overrides, "evaluation.targets=[0.2, 0.25, 0.3, 0.35]", "--quiet"]
        assert main([*argv, "--out", str(top / name)]) == 0
    return {name: top / name for name in WORLDS}


@pytest.mark.matrix
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("kind", kinds(draw.FIGURES))
def test_texts_of_a_run_s_figure(kind: str, world: str, runs: dict[str, Path]) -> None:
    figure = importlib.import_module(f"{draw.FIGURES}.{kind}")
    data = figure.data(load(runs[world]))
    if data is None:
        pytest.skip("nothing of the kind in such a run")
    with house_style():
        for label in (LABELS[0], LABELS[-1]):
            assert not faults(figure.draw([replace(data, label=label)]))


@pytest.mark.matrix
@pytest.mark.parametrize("kind", kinds(draw.FIGURES))
def test_texts_of_a_figure_of_several_runs(kind: str, runs: dict[str, Path]) -> None:
    figure = importlib.import_module(f"{draw.FIGURES}.{kind}")
    if figure.ONE_RUN:
        return
    found = [figure.data(load(folder)) for folder in runs.values()] * 5
    with house_style():
        series = [replace(one, label=f"{LABELS[i % 3]} {i}") for i, one in enumerate(found)]
        for number in (2, 15):
            assert not faults(figure.draw(series[:number]))


@pytest.mark.matrix
@pytest.mark.parametrize("span", [1.2, 2.0, 8.0, 100.0])
def test_texts_of_accuracy_with_targets_close_by(span: float, tmp_path: Path) -> None:
    accuracy = tuple(0.99 - 0.9 * math.exp(-i / span) for i in range(40))
    for round_s in (1e-4, 0.37, 29.0, 40_000.0):
        folder = fake_run(tmp_path / f"{round_s}", round_s=round_s, accuracy=accuracy)
        with house_style():
            for kind in ("time_to_accuracy", "bytes_to_accuracy"):
                figure = importlib.import_module(f"{draw.FIGURES}.{kind}")
                assert not faults(figure.draw([figure.data(load(folder))]))


def _axes(span: float, further: bool) -> dict[str, list[str]]:
    megahertz = np.geomspace(1.0, span, 4)
    axes = {
        "network.bandwidth": [f"{value:.4g} MHz" for value in megahertz],
        "codec": ["raw", "slfac", "topk"],
    }
    return axes | ({"network.latency": ["1 ms", "20 ms"]} if further else {})


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[float, list[Path]]:
    """Studies over axes of each span, over one axis and over two; some seeds do not arrive."""
    top = tmp_path_factory.mktemp("studies")

    def change(point: dict[str, Any]) -> None:
        seed, codec = point["seed"]["learning"], point["axes"]["codec"]
        point["label"] = LABELS[len(codec) % 3]
        if codec == "topk" or (codec == "slfac" and seed == 1):
            point["curve"]["accuracy"] = [min(a, 0.84) for a in point["curve"]["accuracy"]]

    return {
        span: [fake_study(top / f"{span}{more}", _axes(span, more), change=change) for more in (False, True)]
        for span in SPANS
    }


@pytest.mark.matrix
@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("kind", kinds(study_report.FIGURES))
def test_texts_of_a_study_s_figure(kind: str, span: float, studies: dict[float, list[Path]]) -> None:
    figure = importlib.import_module(f"{study_report.FIGURES}.{kind}")
    with house_style():
        for folder in studies[span]:
            data = figure.data(load_study(folder))
            assert data is None or not faults(figure.draw(data))


@pytest.mark.matrix
@pytest.mark.parametrize("span", SPANS)
def test_texts_of_the_other_figures(span: float) -> None:
    x = np.geomspace(3.0, 3.0 * span, 12)
    with house_style():
        line = inverse_figure.Line("raw $x$", x, 0.7 * x[::-1])
        assert not faults(
            inverse_figure.draw([line], "network.bandwidth (MHz)", "time to 80 % (s)", [4.0], 2.0)
        )
        bars = [
            cuts_figure.Bar(f"conv{i}", {"air up": s, "air down": 1.0, "server": 0.1})
            for i, s in enumerate(x)
        ]
        assert not faults(cuts_figure.draw([replace(bars[0], best=True), *bars[1:]]))
        points = [_measured(bits, 1.0 / (bits * x[0])) for bits in x]
        assert not faults(
            rates_figure([Curve(f"codec_{i}", "", points) for i in range(17)], "t.npy, 2 x 4 x 8")
        )


@pytest.mark.parametrize("steps", [1, 12])
def test_texts_of_spectra(steps: int) -> None:
    tensor = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    found = [spectrum_of(tensor, step, way, 0.9) for step in range(steps) for way in ("up", "down")]
    with house_style():
        for figure in (spectra_figure, compaction_figure):
            assert not faults(figure(found, LABELS[0] + LABELS[-1]))


def _measured(bits: float, error: float) -> Measured:
    return Measured("x", "x", values=8000, body_bytes=round(1000 * bits), error=error)


@settings(max_examples=12)
@given(st.floats(1e-6, 1e9), st.floats(1.02, 1e6), st.booleans())
def test_a_logarithmic_axis_has_ticks_that_fit_at_any_span(low: float, span: float, vertical: bool) -> None:
    with house_style():
        figure, axes = canvas()
        axis = axes.yaxis if vertical else axes.xaxis
        (axes.set_ylim if vertical else axes.set_xlim)(low, low * span)
        log_axis(axis)
        assert not faults(figure)
        ticks = [value for value in axis.get_majorticklocs() if low <= value <= low * span]
    assert len(ticks) >= 2


@given(st.integers(1, 99), st.sampled_from(["%", "s", "MB", "GHz"]), st.integers(4, 40))
def test_no_line_ends_between_a_number_and_its_unit(number: int, unit: str, letters: int) -> None:
    text = f"SL-FAC (our reading), theta 0.9, models fp16: {number} {unit} at 81 s"
    lines = broken(text, letters)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert not any(re.search(r"\d$", line) and after.startswith(unit) for line, after in pairwise(lines))


def test_what_is_said_stays_on_the_canvas() -> None:
    with house_style():
        figure, axes = canvas()
        say(axes, *LABELS)
        assert not faults(figure)


@pytest.mark.matrix
@pytest.mark.parametrize("label", ["[red]x[/red]", "$x_1$", "a & b", "_x", r"\alpha", "x_1^2"])
def test_a_label_is_shown_letter_by_letter(label: str, tmp_path: Path) -> None:
    folder = fake_run(tmp_path / "run", label)
    with house_style():
        for kind in kinds(draw.FIGURES):
            figure = importlib.import_module(f"{draw.FIGURES}.{kind}")
            data = figure.data(load(folder))
            if data is not None:
                texts = drawn(figure.draw([data]))
                assert any(label in text.get_text() for text in texts)
                assert not any(text.get_parse_math() for text in texts)


def test_a_note_stands_beside_the_curve_and_not_on_it(tmp_path: Path) -> None:
    accuracy = (0.1, 0.12, 0.12, 0.55, 0.82, 0.72, 0.88, 0.9, 0.91)
    figure_of = importlib.import_module(f"{draw.FIGURES}.time_to_accuracy")
    with house_style():
        figure = figure_of.draw([figure_of.data(load(fake_run(tmp_path / "run", accuracy=accuracy)))])
        notes = [text for text in drawn(figure) if " at " in text.get_text()]
        (axes,) = figure.axes
        curve = next(line for line in axes.lines if line.get_xydata().shape[0] == len(accuracy))
        corners = curve.get_transform().transform(curve.get_xydata())
        places = np.linspace(0, len(accuracy) - 1, 500)
        points = np.stack([np.interp(places, range(len(accuracy)), xy) for xy in corners.T], axis=1)
        assert len(notes) == 2
        assert not any(note.get_window_extent().count_contains(points) for note in notes)
