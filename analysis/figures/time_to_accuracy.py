"""Accuracy against simulated time, with the second at which each target was reached; it reads no file."""

from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.accuracy_curves import Series, accuracy_table, draw_accuracy, others_of
from slfac_sim.analysis.format import amount
from slfac_sim.ledger.folder import Run

MAIN = True
ONE_RUN = False


def data(run: Run) -> Series:
    """Return accuracy over simulated seconds, and the crossing times that the run itself reported."""
    curve = run.curve()
    others = others_of(run, curve.simulated_s)
    return Series(run.label, curve.simulated_s, curve.accuracy, run.time_to_accuracy_s, others=others)


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each evaluation of each run."""
    return accuracy_table(series, "simulated_s")


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of one or several runs on one axis."""
    return draw_accuracy(series, "simulated time (s)", lambda seconds: f"{amount(seconds)} s")
