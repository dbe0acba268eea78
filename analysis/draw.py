"""Draws every figure of one or several runs into files; it knows folders, and no figure by name."""

import csv
import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from slfac_sim.analysis._rows import forget
from slfac_sim.analysis.folder import Run, load
from slfac_sim.analysis.naming import names_of
from slfac_sim.analysis.style import house_style, save
from slfac_sim.foundation.plugins import kinds

FIGURES = "slfac_sim.analysis.figures"


def draw_run(folder: str | Path) -> list[Path]:
    """Draw the figures of the run in `folder` into its own ``figures/``; return the files written.

    Raises `BadInput` for a folder that holds no run.
    """
    run = load(folder)
    return draw([run], run.folder / "figures")


def draw(runs: Sequence[Run], out: Path) -> list[Path]:
    """Draw every figure of `runs`, all on one axis, into `out`; return the files: PNG, SVG and table of each.

    Figures that show one run only are left out when there are several.
    """
    labels = names_of(runs)
    files: list[Path] = []
    with house_style():
        for name in kinds(FIGURES):
            figure = importlib.import_module(f"{FIGURES}.{name}")
            if len(runs) > 1 and getattr(figure, "ONE_RUN", False):
                continue
            series = [replace(figure.data(run), label=label) for run, label in zip(runs, labels, strict=True)]
            files += save(figure.draw(series), out, name)
            if hasattr(figure, "table"):
                files.append(_write_table(figure.table(series), out / f"{name}.csv"))
    forget()
    return files


def _write_table(rows: Iterable[Mapping[str, Any]], path: Path) -> Path:
    """Write `rows` as CSV, with all their columns in the order of their first appearance."""
    kept = list(rows)
    names = list(dict.fromkeys(name for row in kept for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept)
    return path
