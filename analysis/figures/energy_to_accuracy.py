"""Accuracy against the energy that all devices together drew, whatever for; it reads no file.

A target's joules are those drawn when the first evaluation at or above it was made. The server's are in the
table alone: it has a socket.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis import accuracy_curves
from slfac_sim.analysis.accuracy_curves import (
    accuracy_table,
    draw_accuracy,
    others_of,
    reached_at,
    scaled,
)
from slfac_sim.analysis.format import amount, unit_of
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = False


@dataclass(frozen=True)
class Series(accuracy_curves.Series):
    """One run: `x` are the joules of all devices, beside those of the server, at each evaluation."""

    server_j: Floats


def data(run: Run) -> Series | None:
    """Return accuracy over joules; None where the run is too old to tell of every evaluation."""
    spent, accuracy = rows_if_there(run, ("spent",))["spent"], run.curve().accuracy
    if not spent or len(spent) != accuracy.size:
        return None
    devices_j, server_j = (np.array([row[name] for row in spent]) for name in ("devices_j", "server_j"))
    targets = reached_at(devices_j, accuracy, run.time_to_accuracy_s)
    return Series(run.label, devices_j, accuracy, targets, server_j, others=others_of(run, devices_j))


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each evaluation of each run."""
    rows = accuracy_table(series, "devices_j")
    server_j = (float(joules) for run in series for joules in run.server_j)
    for row, joules in zip(rows, server_j, strict=True):
        run, devices_j = row.pop("run"), row.pop("devices_j")
        yield {"run": run, "devices_j": devices_j, "server_j": joules, **row}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of one or several runs on one axis."""
    scale, unit = unit_of((run.x.max(initial=0.0) for run in series), "J")
    label = f"energy drawn by all devices ({unit})"
    return draw_accuracy(scaled(series, scale), label, lambda drawn: f"{amount(drawn)} {unit}")
