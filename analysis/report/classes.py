"""The last evaluation by class, for the page: what samples of each were taken for."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.analysis.format import fixed_percent
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Cell, Chart, Table
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run
from slfac_sim.ledger.measured import confusion

_MOST_CLASSES = 60  # that a chart shows; the table has all
_SHADES = [[0.0, "rgba(63, 144, 218, 0)"], [0.25, "rgba(63, 144, 218, 0.5)"], [1.0, "rgba(63, 144, 218, 1)"]]


def by_class(run: Run) -> Iterator[Chart | Table]:
    """Yield the confusion matrix of the last evaluation; nothing where it was not counted."""
    rounds = [row["round"] for row in rows_if_there(run, ("classes",))["classes"]]
    if not rounds:
        return
    samples = confusion(run.ledger, rounds[-1])
    named = run.summary.get("data", {}).get("class_names") or ()
    names = [str(named[label]) if label < len(named) else str(label) for label in range(len(samples))]
    shares = samples / np.maximum(samples.sum(axis=1, keepdims=True), 1)
    table = _table(names, samples, shares)
    if len(names) > _MOST_CLASSES:
        yield table
    else:
        yield _matrix(names, samples, shares, rounds[-1], table)


def _matrix(
    names: Sequence[str], samples: NDArray[np.int64], shares: Floats, round_number: int, table: Table
) -> Chart:
    there = np.flatnonzero(samples.sum(axis=1))
    worst = int(there[shares.diagonal()[there].argmin()])
    right = fixed_percent(float(samples.trace() / samples.sum()), 2)
    summary = (
        f"After round {round_number} {right} of the answers are right; the worst of {len(names)} classes is"
        f" {names[worst]}: {fixed_percent(float(shares[worst, worst]), 1)}"
        f"{_mistaken(names, shares[worst], worst)}."
    )
    trace: dict[str, Any] = {
        "type": "heatmap",
        "x": list(names),
        "y": list(names),
        "z": shares.tolist(),
        "zmin": 0.0,
        "zmax": 1.0,
        "colorscale": _SHADES,
        "colorbar": {"tickformat": ".0%", "thickness": 12, "outlinewidth": 0},
        "hovertemplate": "class %{y}, taken for %{x}: %{z:.1%}<extra></extra>",
    }
    axis = {"type": "category", "showgrid": False}
    layout = {
        "xaxis": {**axis, "title": {"text": "taken for class"}},
        "yaxis": {**axis, "title": {"text": "test samples of class"}, "autorange": "reversed"},
    }
    height_px = min(720, 240 + 22 * len(names))
    return Chart("What classes were taken for", summary, [trace], layout, table, height_px)


def _mistaken(names: Sequence[str], row: Floats, own: int) -> str:
    others = np.where(np.arange(len(row)) == own, 0.0, row)
    return f", most often taken for {names[int(others.argmax())]}" if others.any() else ""


def _table(names: Sequence[str], samples: NDArray[np.int64], shares: Floats) -> Table:
    taken = samples.sum(axis=0)
    rows: list[list[Cell]] = []
    for label, name in enumerate(names):
        of, right = int(samples[label].sum()), int(samples[label, label])
        recall = right / of if of else None
        precision = right / int(taken[label]) if taken[label] else None
        mistaken = _mistaken(names, shares[label], label).rpartition(" for ")[2]
        figures = [cells.share(recall), cells.share(precision), cells.said(mistaken or "-")]
        rows.append([cells.said(name), cells.whole(of), *figures])
    head = ("class", "test samples", "recall", "precision", "most often taken for")
    return Table("Classes", head, rows, folded=True)
