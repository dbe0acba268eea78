"""Draws every figure of a study into files, with the table behind each; it knows no figure by name."""

import csv
import importlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from slfac_sim.analysis.study import StudyResult
from slfac_sim.analysis.style import house_style, save
from slfac_sim.foundation.plugins import kinds

FIGURES = "slfac_sim.analysis.study_figures"


def draw_study(study: StudyResult, out: Path) -> list[Path]:
    """Draw what the study has figures for into `out`; return the files: PNG, SVG and CSV of each."""
    files: list[Path] = []
    with house_style():
        for name in kinds(FIGURES):
            figure = importlib.import_module(f"{FIGURES}.{name}")
            data = figure.data(study)
            if data is not None:
                files += save(figure.draw(data), out, name)
                files.append(write_rows(figure.table(data), out / f"{name}.csv"))
    return files


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> Path:
    """Write `rows` as CSV, columns in the order of their first appearance; NaN and None are empty cells."""
    kept = list(rows)
    names = list(dict.fromkeys(name for row in kept for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in kept)
    return path


def _cell(value: Any) -> Any:
    if isinstance(value, float):  # numpy's floats are such as well, and would be written with their type
        return "" if math.isnan(value) else float(value)
    return value
