"""Accuracy against all payload bytes sent, whatever they carried; it reads no file.

A target's bytes are those delivered when the first evaluation at or above it was made.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.accuracy_curves import (
    Series,
    accuracy_table,
    draw_accuracy,
    others_of,
    reached_at,
    scaled,
)
from slfac_sim.analysis.format import amount, unit_of
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = False


def data(run: Run) -> Series:
    """Return accuracy over megabytes (10^6 bytes), and the megabytes at each target."""
    curve = run.curve()
    megabytes = curve.bytes_total / 1e6
    targets = reached_at(megabytes, curve.accuracy, run.time_to_accuracy_s)
    return Series(run.label, megabytes, curve.accuracy, targets, others=others_of(run, megabytes))


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each evaluation of each run."""
    return accuracy_table(series, "payload_mb")


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of one or several runs on one axis."""
    scale, unit = unit_of((1e6 * run.x.max(initial=0.0) for run in series), "B")
    label = f"payload sent, all directions ({unit})"
    return draw_accuracy(scaled(series, scale / 1e6), label, lambda sent: f"{amount(sent)} {unit}")
