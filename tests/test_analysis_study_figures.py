"""Figures of a study as pictures and as text: sizes, words, marks of censoring, the tables behind."""

import csv
import html
import importlib
import re
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from study_folders import fake_study

from slfac_sim.analysis.studies.bands import Band, Bands
from slfac_sim.analysis.studies.drawn_bands import draw
from slfac_sim.analysis.studies.reading import load_study
from slfac_sim.analysis.studies.report import FIGURES, draw_study
from slfac_sim.analysis.style import fill, house_style
from slfac_sim.analysis.text_tables import write_csv
from slfac_sim.foundation.plugins import kinds

LATENCIES = {"network.bandwidth": ["1 MHz", "10 MHz", "100 MHz"], "network.latency": ["1 ms", "20 ms"]}
CROSSED = {**LATENCIES, "codec": ["raw", "slfac"]}
Row = dict[str, str]


def _figure(folder: Path, name: str, **more: Any) -> tuple[list[str], list[Row]] | None:
    """Return the words of one figure and the rows behind it, of a fake study; None if it is not drawn."""
    figure = importlib.import_module(f"{FIGURES}.{name}")
    data = figure.data(load_study(fake_study(folder, **more)))
    if data is None:
        return None
    with house_style():
        figure.draw(data).savefig(folder / "f.svg")
    texts = re.findall(r"<text [^>]*>([^<]*)</text>", (folder / "f.svg").read_text(encoding="utf-8"))
    with write_csv(figure.table(data), folder / "f.csv").open(encoding="utf-8", newline="") as file:
        return [html.unescape(text) for text in texts], list(csv.DictReader(file))


def _drawn(folder: Path, name: str, **more: Any) -> tuple[list[str], list[Row]]:
    found = _figure(folder, name, **more)
    assert found is not None
    return found


def test_every_figure_has_the_three_functions_and_is_found_by_its_file() -> None:
    names = {
        "accuracy_over_time",
        "accuracy_over_bytes",
        "accuracy_over_energy",
        "time_to_accuracy",
        "ratio",
        "heatmap",
        "time_parts",
    }
    assert names | {"bytes_by_kind"} <= set(kinds(FIGURES))


def test_figures_are_one_column_wide_and_no_longer_than_a_page(tmp_path: Path) -> None:
    draw_study(load_study(fake_study(tmp_path / "s", CROSSED)), tmp_path / "out")
    pictures = sorted((tmp_path / "out").glob("*.png"))
    assert [path.stem for path in pictures] == sorted(kinds(FIGURES))
    for path in pictures:
        width, height = struct.unpack(">II", path.read_bytes()[16:24])
        assert width == 1200
        assert height / 1200 * 88 < 240, path  # millimetres


def test_bands_say_what_they_are(tmp_path: Path) -> None:
    texts, _ = _drawn(tmp_path / "three", "accuracy_over_time")
    words = "mean of 3 seeds at each evaluation, smallest to largest"
    assert {"1 MHz", "100 MHz", words, "simulated time (s)", "raw fp32"} <= set(texts)
    texts, _ = _drawn(tmp_path / "one", "accuracy_over_time", seeds=1)
    assert not any("seed" in text for text in texts)


def _line(rows: list[Row], panel: str, line: str) -> list[tuple[float, ...]]:
    some = [row for row in rows if (row["panel"], row["line"]) == (panel, line)]
    return [tuple(float(value) for value in list(row.values())[2:]) for row in some]


def test_a_point_is_an_evaluation_in_the_mean_of_time_and_of_accuracy(tmp_path: Path) -> None:
    """One seed is three times as slow: the others' ends stay in the curve."""

    def slow(point: dict[str, Any]) -> None:
        if point["seed"]["learning"] == 1:
            point["curve"]["at_s"] = [3.0 * at for at in point["curve"]["at_s"]]

    _, rows = _drawn(tmp_path / "s", "accuracy_over_time", change=slow)
    study = load_study(tmp_path / "s")
    seeds = [study.columns["curve"][i] for i in study.at(study.panels[0], study.lines[0], study.xs[0]).points]
    at, accuracy = (np.array([seed[name] for seed in seeds]) for name in ("at_s", "accuracy"))
    assert max(at[:, -1]) > 2.0 * min(at[:, -1])
    expected = [at.mean(axis=0), accuracy.mean(axis=0), accuracy.min(axis=0), accuracy.max(axis=0)]
    label = study.line_label(study.lines[0])
    np.testing.assert_allclose(_line(rows, "1 MHz", label), np.transpose(expected), rtol=1e-6)


def test_a_band_ends_where_the_shortest_seed_ends(tmp_path: Path) -> None:
    def short(point: dict[str, Any]) -> None:
        if point["seed"]["learning"] == 1:
            point["curve"] = {name: column[:4] for name, column in point["curve"].items()}

    texts, rows = _drawn(tmp_path / "s", "accuracy_over_bytes", change=short)
    assert max(float(row["payload_mb"]) for row in rows if row["line"] == "raw fp32") == 3 * 64.0
    assert "smallest to largest; up to the last that all have" in " ".join(texts)


def test_bytes_do_not_depend_on_bandwidth_and_need_one_panel(tmp_path: Path) -> None:
    assert "100 MHz" not in _drawn(tmp_path / "s", "accuracy_over_bytes")[0]
    texts, rows = _drawn(tmp_path / "t", "bytes_by_kind")
    assert len(rows) == 2
    assert {"768 MB", "144 MB", "activations, up"} <= set(texts)


def test_time_against_bandwidth_has_intervals_and_a_logarithmic_axis(tmp_path: Path) -> None:
    texts, rows = _drawn(tmp_path / "s", "time_to_accuracy")
    for words in ("time to 85 % accuracy (s)", "bandwidth (MHz)", "95 % t interval over seeds", "20", "50"):
        assert words in texts
    assert [row["bandwidth (MHz)"] for row in rows] == ["1.0", "10.0", "100.0"] * 2
    assert all(float(row["low"]) < float(row["middle"]) < float(row["high"]) for row in rows)
    assert not any("reach" in text for text in texts)


def test_censoring_is_marked(tmp_path: Path) -> None:
    def never(point: dict[str, Any]) -> None:
        slow = point["axes"] == {"network.bandwidth": "1 MHz", "codec": "raw"}
        some = (
            point["axes"] == {"network.bandwidth": "10 MHz", "codec": "raw"}
            and point["seed"]["learning"] == 0
        )
        if slow or some:
            point["curve"]["accuracy"] = [min(a, 0.84) for a in point["curve"]["accuracy"]]
            point["curve"]["at_s"][-1] = 2345.0

    texts, rows = _drawn(tmp_path / "s", "time_to_accuracy", change=never)
    assert "> 2,345" in texts
    assert "median: a seed did not reach the target" in texts
    assert "only a bound is known: seeds did not reach the target" in texts
    assert [rows[0][name] for name in ("statistic", "middle", "more_than")] == ["median", "", "2345.0"]
    assert (rows[1]["statistic"], rows[1]["more_than"]) == ("median", "")
    assert any(text.startswith("> ") for text in _drawn(tmp_path / "t", "ratio", change=never)[0])


def test_ratio_names_the_baseline_and_the_crossover(tmp_path: Path) -> None:
    texts, _ = _drawn(tmp_path / "s", "ratio")
    assert {"times as fast to 85 %", "as fast as raw fp32", "95 % t interval, paired by seed"} <= set(texts)
    assert any(re.fullmatch(r"crossover about \d+ MHz", text) for text in texts)


def test_further_axes_make_small_multiples(tmp_path: Path) -> None:
    assert {"latency 1 ms", "latency 20 ms"} <= set(
        _drawn(tmp_path / "s", "time_to_accuracy", axes=CROSSED)[0]
    )


def test_the_heatmap_crosses_two_axes_and_has_its_numbers_in_the_cells(tmp_path: Path) -> None:
    texts, rows = _drawn(tmp_path / "s", "heatmap", axes=CROSSED)
    assert len(rows) == 6
    assert f"{float(rows[0]['middle']):.2f}" in texts
    assert {"bandwidth (MHz)", "latency (ms)", "times as fast to 85 % as raw fp32"} <= set(texts)


def test_a_heatmap_of_one_line_shows_seconds(tmp_path: Path) -> None:
    texts, _ = _drawn(tmp_path / "s", "heatmap", axes={**LATENCIES, "codec": ["slfac"]})
    assert "seconds to 85 %" in texts


def test_stacked_time_has_the_seconds_above(tmp_path: Path) -> None:
    texts, rows = _drawn(tmp_path / "s", "time_parts")
    assert {"airtime", "waiting at the barrier", "100 %", "1", "10", "100"} <= set(texts)
    whole = sum(float(value) for name, value in rows[0].items() if name.endswith("(s)"))
    assert f"{whole:.0f}" in texts
    assert "propagation" not in texts  # none in this study


def test_a_study_of_codecs_alone_is_drawn_by_names(tmp_path: Path) -> None:
    axes = {"codec": ["raw", "slfac", "topk"]}
    assert {"raw fp32", "top-k 5 %"} <= set(_drawn(tmp_path / "s", "time_to_accuracy", axes=axes)[0])
    _, rows = _drawn(tmp_path / "t", "ratio", axes=axes)
    assert [row["x"] for row in rows] == ["SL-FAC (our reading)", "top-k 5 %"]
    assert {"491", "123", "top-k 5 %"} <= set(_drawn(tmp_path / "u", "time_parts", axes=axes)[0])
    assert _figure(tmp_path / "v", "heatmap", axes=axes) is None


def test_lines_without_any_point_leave_the_others_drawn(tmp_path: Path) -> None:
    def one_end_fails(point: dict[str, Any]) -> None:
        if point["axes"] == {"network.bandwidth": "1 MHz", "codec": "raw"}:
            point.update(status="failed", reason="lost")

    _, rows = _drawn(tmp_path / "s", "time_to_accuracy", change=one_end_fails)
    assert [row["line"] for row in rows if row["middle"]].count("raw fp32") == 2
    texts, rows = _drawn(tmp_path / "t", "accuracy_over_time", change=one_end_fails)
    assert {row["panel"] for row in rows} == {"1 MHz", "100 MHz"}
    assert "raw fp32" in texts


def test_the_interval_of_a_wild_seed_stays_above_zero(tmp_path: Path) -> None:
    def wild(point: dict[str, Any]) -> None:
        scale = 1.0 + 40.0 * (point["seed"]["learning"] == 0)
        point["curve"]["at_s"] = [scale * s for s in point["curve"]["at_s"]]

    texts, rows = _drawn(tmp_path / "s", "time_to_accuracy", change=wild)
    assert all(0 < float(row["low"]) <= float(row["middle"]) <= float(row["high"]) for row in rows)
    assert "0" not in texts
    assert "1,000" in texts


def test_an_interval_beyond_a_decade_makes_the_axis_logarithmic_and_is_seen_whole(tmp_path: Path) -> None:
    """The times themselves lie within a decade."""

    def apart(point: dict[str, Any]) -> None:
        scale = 2.0 if point["seed"]["learning"] else 1.0
        point["curve"]["at_s"] = [scale * s for s in point["curve"]["at_s"]]

    axes = {"network.bandwidth": ["1 MHz", "2 MHz"]}
    figure = importlib.import_module(f"{FIGURES}.time_to_accuracy")
    data = figure.data(load_study(fake_study(tmp_path / "s", axes, seeds=2, change=apart)))
    (line,) = data.panels[0][1]
    assert line.middle.max() < 10 * line.middle.min()
    assert (line.high > 10 * line.low).all()
    with house_style():
        (plot,) = figure.draw(data).axes
    assert plot.get_yscale() == "log"
    bottom, top = plot.get_ylim()
    assert bottom < line.low.min()
    assert top > line.high.max()


def test_a_dense_axis_has_a_band_instead_of_bars(tmp_path: Path) -> None:
    axes = {"network.bandwidth": [f"{i} MHz" for i in range(1, 40)], "codec": ["raw", "slfac"]}
    folder = fake_study(tmp_path / "s", axes, rounds=8)
    figure = importlib.import_module(f"{FIGURES}.ratio")
    with house_style():
        (plot,) = figure.draw(figure.data(load_study(folder))).axes
    assert [type(artist).__name__ for artist in plot.collections][:1] == ["FillBetweenPolyCollection"]
    markers = [len(line.get_xdata()) for line in plot.lines if line.get_marker() == "s"]
    assert markers == [20]


def test_a_study_draws_what_it_has(tmp_path: Path) -> None:
    assert _figure(tmp_path / "s", "time_to_accuracy", targets=()) is None
    assert _figure(tmp_path / "t", "ratio", targets=()) is None
    assert _figure(tmp_path / "u", "ratio", targets=(0.99,)) is None  # neither line arrives: nothing is known
    texts, _ = _drawn(tmp_path / "v", "time_to_accuracy", targets=(0.99,))
    assert sum(text.startswith("> ") for text in texts) == 6


def test_parts_differ_in_grey_as_well() -> None:
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    plain = sorted(grey(fill(i).colour) for i in range(8) if not fill(i).hatch)
    assert all(two - one > 25 for one, two in pairwise(plain))
    hatches = [fill(i).hatch for i in range(8) if fill(i).hatch]
    assert len(set(hatches)) == len(hatches)


def test_energy_is_drawn_of_points_that_tell_of_it(tmp_path: Path) -> None:
    texts, rows = _drawn(tmp_path / "told", "accuracy_over_energy", axes={"codec": ["raw", "slfac"]})
    assert "energy drawn by all devices (kJ)" in texts
    study = load_study(tmp_path / "told")
    last_j = [curve["devices_j"][-1] for curve in study.columns["curve"][:3]]
    drawn = [float(row["devices_kj"]) for row in rows if row["line"] == "raw fp32"]
    assert drawn[-1] == pytest.approx(sum(last_j) / 3e3)

    def forget(point: dict[str, Any]) -> None:
        del point["curve"]["devices_j"], point["energy"]

    assert _figure(tmp_path / "old", "accuracy_over_energy", change=forget) is None


def test_a_line_without_a_byte_is_drawn_at_its_last_accuracy(tmp_path: Path) -> None:
    def silent(point: dict[str, Any]) -> None:
        if point["axes"]["codec"] == "slfac":
            point["curve"]["payload_bytes"] = [0] * 13

    _, rows = _drawn(
        tmp_path / "s", "accuracy_over_bytes", axes={"codec": ["raw", "slfac"]}, seeds=1, change=silent
    )
    (row,) = [row for row in rows if row["line"].startswith("SL-FAC")]
    (last,) = [
        c["accuracy"][-1] for c in load_study(tmp_path / "s").columns["curve"] if not c["payload_bytes"][-1]
    ]
    assert (float(row["payload_mb"]), float(row["accuracy_mean"])) == (0.0, last)


def test_fifteen_lines_have_their_names_beside_the_picture(tmp_path: Path) -> None:
    kinds_of = [f"{{kind: way{i}, rounds: 12, mu: 0.{i}}}" for i in range(15)]
    study = load_study(fake_study(tmp_path / "s", {"protocol": kinds_of}, seeds=1))
    for name in ("accuracy_over_time", "time_to_accuracy", "time_parts"):
        module = importlib.import_module(f"{FIGURES}.{name}")
        with house_style():
            figure = module.draw(module.data(study))
            figure.draw_without_rendering()
        (axes,) = figure.axes
        assert axes.get_window_extent().height > 0.3 * figure.bbox.height, name
        words = {text.get_text() for legend in figure.legends for text in legend.get_texts()}
        words |= {tick.get_text() for tick in axes.get_xticklabels()}
        assert {f"way{i}" for i in range(15)} <= {word.split(",")[0] for word in words}, name


def test_a_line_that_sends_nothing_is_a_level_on_a_logarithmic_axis() -> None:
    """It has no place at 0 there: with one, the axes would shrink to nothing."""
    ends = [np.array([5.0, 10.0]), np.array([500.0, 2000.0]), np.array([0.0])]
    lines = [Band(f"line {n}", n, x, (y := np.linspace(0.5, 0.9, x.size)), y, y) for n, x in enumerate(ends)]
    figure = draw(Bands(("payload", "B"), ("payload_mb", 1e6), [("", lines)], (0.9,), ""))
    figure.canvas.draw()
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert axes.get_xlabel() == "payload (kB, log scale)"
    assert axes.get_position().height > 0.4
    assert [line.get_ydata()[0] for line in axes.lines].count(0.5) == 3


def test_all_panels_have_one_scale_which_is_linear_from_the_start_on_up_to_two_orders() -> None:
    def drawn(*last: float) -> list[str]:
        y = np.array([0.1, 0.5, 0.9])
        lines = [Band(f"line {n}", n, np.array([0.0, end / 2, end]), y, y, y) for n, end in enumerate(last)]
        panels = [("far", lines), ("near", lines[:1])]
        figure = draw(Bands(("simulated time", "s"), ("simulated_s", 1.0), panels, (0.9,), ""))
        assert len({axes.get_xscale() for axes in figure.axes}) == 1
        if figure.axes[0].get_xscale() == "linear":
            assert all(
                axes.get_xlim()[0] == line.get_xdata()[0] == 0.0
                for axes in figure.axes
                for line in axes.lines[:1]
            )
        return [figure.axes[0].get_xscale(), figure.axes[-1].get_xlabel()]

    assert drawn(2.0, 180.0) == ["linear", "simulated time (s)"]
    assert drawn(2.0, 220.0) == ["log", "simulated time (s, log scale)"]
