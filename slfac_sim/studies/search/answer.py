"""The folder of an answer, as it is written: its words, its curve as a table, and the figure of that curve.

It knows rows and lines, and nothing of replays.
"""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slfac_sim.analysis.answer_result import ANSWER, CURVE_CSV, Answer
from slfac_sim.foundation.files import write_text
from slfac_sim.foundation.json_values import json_value
from slfac_sim.ledger.folder import ABOUT, SCENARIO
from slfac_sim.scenario.about import about_text
from slfac_sim.scenario.files import dump
from slfac_sim.scenario.schema import Scenario, Seed
from slfac_sim.studies.search.bisection import SearchResult
from slfac_sim.studies.search.question import Measure
from slfac_sim.studies.search.setting import Setting, unit_for

Point = tuple[str, Seed, float, float]  # side, seeds, value, measured; SI


def write_answer(
    folder: Path,
    words: Sequence[str],
    facts: Mapping[str, Any],
    points: Sequence[Point],
    setting: Setting,
    measure: Measure,
    marks: Sequence[float],
    scenarios: Sequence[Scenario],
    bound: float | None = None,
) -> None:
    """Write ``answer.json``, ``curve.csv`` and ``figures/curve.png`` and ``.svg`` into `folder`.

    `marks` are the values of the answer, one for each crossing; `bound` is that of the question. Beside them
    lie the first of `scenarios`, that was asked about, and what is told of it, with the references of all.
    """
    write_text(folder / SCENARIO, dump(scenarios[0]))
    write_text(folder / ABOUT, about_text(*scenarios))
    drawn = _drawn(points, setting, measure, marks, bound)
    answer = {**facts, "answer": list(words), "vary": setting.path, "measure": measure.text, "drawn": drawn}
    text = json.dumps(json_value(answer), indent=2, ensure_ascii=False)
    (folder / ANSWER).write_text(text + "\n", encoding="utf-8")
    _write_curve(folder / CURVE_CSV, points, setting, measure)
    from slfac_sim.analysis.style import house_style, save  # matplotlib takes half a second to import

    with house_style():
        save(Answer(folder).figure("curve"), folder / "figures", "curve")


def facts_of(between: tuple[float, float], searches: Sequence[tuple[Seed, SearchResult]]) -> dict[str, Any]:
    """Return the range and what holds where in it, for each pair of seeds; every value in SI."""
    return {"between": between, "seeds": [_facts(seed, result) for seed, result in searches]}


def _facts(seed: Seed, result: SearchResult) -> dict[str, Any]:
    return {
        "learning": seed.learning,
        "air": seed.air,
        "holds": result.stretches(),
        "edges": [
            {"low": edge.low.value, "high": edge.high.value, "holds_above": edge.holds_above}
            for edge in result.edges
        ],
    }


def left_out(untrained: int, of: int) -> str:
    """Return how many seeds are not in an answer over all of them; nothing if there are none."""
    return (
        f" (left out: {untrained} of {of} seeds, whose untrained model meets the target)" if untrained else ""
    )


def _write_curve(path: Path, points: Sequence[Point], setting: Setting, measure: Measure) -> None:
    """One row per replay, in SI; what was never reached is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["side", "seed_learning", "seed_air", setting.path, measure.text])
        for side, seed, value, measured in sorted(points, key=_order):
            shown = measured if math.isfinite(measured) else ""
            table.writerow([side, seed.learning, seed.air, value, shown])


def _order(point: Point) -> tuple[Any, ...]:
    side, seed, value, _ = point
    return side, seed.learning, seed.air, value


def _drawn(
    points: Sequence[Point], setting: Setting, measure: Measure, marks: Sequence[float], bound: float | None
) -> dict[str, Any]:
    """Return what the figure needs beside the curve: the titles of its axes, in which units, and marks."""
    x_unit, x_factor = unit_for(float(np.median([point[2] for point in points])), setting.dimension)
    heights = [point[3] for point in points if math.isfinite(point[3])]
    y_unit, y_factor = unit_for(max(heights, default=1.0), measure.dimension)
    x, y = (_titled(setting.path, x_unit), x_factor), (_titled(measure.title, y_unit), y_factor)
    return {"x": x, "y": y, "marks": marks, "bound": bound}


def _titled(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name
