"""The figures of what evaluations counted: of few classes and devices, and of many."""

import csv
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_texts import drawn, faults
from run_folders import fake_run

from slfac_sim.analysis.accuracy_curves import Series, accuracy_table, draw_accuracy, reached_at
from slfac_sim.analysis.draw import draw, figure_of
from slfac_sim.analysis.style import house_style
from slfac_sim.ledger.folder import load
from slfac_sim.ledger.tables import MEASURED

FIGURES = ("accuracy_by_device", "confusion")
ROUNDS = 3


def run_with(folder: Path, classes: int, devices: int, right: float = 0.7) -> tuple[Path, Any, Any]:
    """Return a run folder with drawn counts, the confusion matrices, and samples and hits of devices."""
    fake_run(folder, "raw fp32", accuracy=(0.1,) * ROUNDS)
    draws = np.random.default_rng(classes + devices)
    spread = np.full((classes, classes), (1.0 - right) / max(classes - 1, 1)) + np.eye(classes) * right
    matrices = [np.stack([draws.multinomial(40, row / row.sum()) for row in spread]) for _ in range(ROUNDS)]
    samples = draws.integers(0, 60, size=devices) + (np.arange(devices) == 0)
    hits = np.stack([draws.binomial(samples, right) for _ in range(ROUNDS)])
    rows: dict[str, list[Sequence[Any]]] = {"classes": [], "test_shares": []}
    for number, matrix in enumerate(matrices):
        for label in range(classes):
            row = {int(answer): int(matrix[label, answer]) for answer in np.flatnonzero(matrix[label])}
            counts = int(matrix[label].sum()), int(matrix[:, label].sum()), int(matrix[label, label])
            rows["classes"].append((number, label, *counts, json.dumps(row)))
        for place in range(devices):
            rows["test_shares"].append(
                (number, f"d{place:03d}", int(samples[place]), int(hits[number, place]))
            )
    with closing(sqlite3.connect(folder / "ledger.sqlite")) as ledger, ledger:
        for name, found in rows.items():
            columns = ", ".join(f"{column} {kind}" for column, (kind, _) in MEASURED[name].items())
            ledger.execute(f"CREATE TABLE {name} ({columns})")
            ledger.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(found[0]))})", found)
    return folder, matrices, (samples, hits)


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("classes", "devices"), [(2, 1), (10, 5), (12, 12), (13, 13), (100, 200)])
def test_their_texts_are_readable_and_their_tables_are_the_counts(
    tmp_path: Path, classes: int, devices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slfac_sim.analysis.draw.kinds", lambda family: list(FIGURES))
    folder, matrices, (samples, hits) = run_with(tmp_path / "run", classes, devices)
    for name in FIGURES:
        figure = figure_of([load(folder)], name)
        assert figure is not None
        assert faults(figure) == []
    draw([load(folder)], tmp_path / "drawn")
    cells = {
        (int(row["class"]), int(row["taken_for"])): int(row["samples"])
        for row in rows_of(tmp_path / "drawn", "confusion")
    }
    assert cells == {(i, j): n for (i, j), n in np.ndenumerate(matrices[-1]) if n}
    shares = rows_of(tmp_path / "drawn", "accuracy_by_device")
    there = np.flatnonzero(samples)
    assert len(shares) == ROUNDS * len(there)
    last = {row["device"]: int(row["correct"]) for row in shares if row["round"] == str(ROUNDS - 1)}
    assert last == {f"d{place:03d}": hits[-1, place] for place in there}


def test_confusion_names_the_worst_class_and_what_it_is_taken_for(tmp_path: Path) -> None:
    folder, matrices, _ = run_with(tmp_path / "run", 10, 5)
    figure = figure_of([load(folder)], "confusion")
    assert figure is not None
    words = " ".join(text.get_text().replace("\n", " ") for text in drawn(figure))
    recalls = matrices[-1].diagonal() / 40
    assert f"worst class {int(recalls.argmin())}: {100 * recalls.min():.1f} %" in words
    assert f"{100 * matrices[-1].trace() / 400:.2f} % right" in words


@pytest.mark.parametrize("classes", [7, 13, 100])
def test_confusion_calls_classes_by_their_names(
    tmp_path: Path, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slfac_sim.analysis.draw.kinds", lambda family: ["confusion"])
    folder, matrices, _ = run_with(tmp_path / "run", classes, 5)
    names = ["melanocytic naevi of the skin", *(f"kind {number}" for number in range(1, classes))]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    about = summary | {"data": {"name": "mine", "real": True, "class_names": names}}
    (folder / "summary.json").write_text(json.dumps(about), encoding="utf-8")
    figure = figure_of([load(folder)], "confusion")
    assert figure is not None
    assert faults(figure) == []
    texts = [text.get_text() for text in drawn(figure)]
    assert texts.count("melanocytic nae\N{HORIZONTAL ELLIPSIS}") == 2
    assert any(f"worst class {names[int(matrices[-1].diagonal().argmin())]}:" in text for text in texts)
    draw([load(folder)], tmp_path / "drawn")
    rows = rows_of(tmp_path / "drawn", "confusion")
    assert {row["class"] for row in rows} | {row["taken_for"] for row in rows} == {*names}


def test_devices_stand_by_their_accuracy_with_mean_worst_tenth_and_spread(tmp_path: Path) -> None:
    folder, _, (samples, hits) = run_with(tmp_path / "run", 4, 30)
    figure = figure_of([load(folder)], "accuracy_by_device")
    assert figure is not None
    there = samples > 0
    shares = np.sort(hits[-1][there] / samples[there])
    worst = shares[: -(-len(shares) // 10)].mean()
    title = figure.axes[1].get_title(loc="left") or figure.axes[1].get_title()
    told = {"mean": shares.mean(), "worst tenth": worst, "spread": shares.std()}
    expected = ", ".join(f"{name} {100 * value:.1f} %" for name, value in told.items())
    assert title.replace("\n", " ") == expected
    (line,) = (one for one in figure.axes[1].lines if one.get_label() == "device")
    np.testing.assert_allclose(np.asarray(line.get_ydata()), shares)


@pytest.mark.parametrize("name", FIGURES)
def test_a_run_of_an_earlier_version_has_none(tmp_path: Path, name: str) -> None:
    assert figure_of([load(fake_run(tmp_path / "run"))], name) is None


def curve(label: str, reached: float | None, values: Sequence[float]) -> Series:
    others = {"loss": (np.array(values), {1.0: reached}), "macro_f1": (np.array([np.nan] * 3), {0.5: None})}
    return Series(label, np.arange(3.0), np.array([0.1, 0.5, 0.9]), {0.8: 2.0}, others=others)


def test_a_curve_has_a_panel_for_each_metric_that_is_aimed_at() -> None:
    one, other = curve("one", 1.0, (2.0, 0.9, 0.5)), curve("other", None, (2.0, 1.9, 1.5))
    with house_style():
        alone, both = (draw_accuracy(some, "time (s)", "{} s".format) for some in ([one], [one, other]))
        for figure in (alone, both):
            assert faults(figure) == []
            names = [axes.get_ylabel() for axes in figure.axes]
            assert names == ["test accuracy (log-error)", "macro-F1 (log-error)", "test loss"]
    assert {"80 % at 2.0 s", "a test loss of 1 at 1.0 s"} <= {text.get_text() for text in drawn(alone)}
    labels = [text.get_text().replace("\n", " ") for text in both.legends[0].get_texts()]
    assert labels == [
        "one: 80 % at 2.0 s; a test loss of 1 at 1.0 s",
        "other: 80 % at 2.0 s; a test loss of 1 not reached",
    ]
    rows = list(accuracy_table([one], "simulated_s"))
    assert [row["loss"] for row in rows] == [2.0, 0.9, 0.5]
    assert "macro_f1" in rows[0]


def test_where_less_is_better_a_target_is_reached_from_above() -> None:
    values, x = np.array([2.0, np.nan, 0.9, 1.1]), np.arange(4.0)
    assert reached_at(x, values, [1.0, 0.5], "loss") == {1.0: 2.0, 0.5: None}
    assert reached_at(x, values, [1.0, 2.5]) == {1.0: 0.0, 2.5: None}
    panel = curve("one", 0.0, (0.9, 2.0, 2.0)).of("loss")
    assert panel.is_untrained(1.0)
    assert not panel.is_untrained(0.5)


@pytest.mark.parametrize("at", range(1, 20))
def test_what_is_written_at_a_crossing_stays_within_its_panel(at: int) -> None:
    x = np.arange(21.0)
    others = {"balanced_accuracy": ((x >= at) * 0.6, {0.5: float(at)})}
    with house_style():
        figure = draw_accuracy(
            [Series("one", x, (x >= at) * 0.6, {0.5: float(at)}, others=others)], "t", "{} s".format
        )
        notes = [text for text in drawn(figure) if " at " in text.get_text().replace("\n", " ")]
        assert len(notes) == 2
        for text in notes:
            assert text.axes is not None
            box, panel = text.get_window_extent(), text.axes.get_window_extent()
            assert panel.x0 - 1 <= box.x0 < box.x1 <= panel.x1 + 1, text.get_text()
