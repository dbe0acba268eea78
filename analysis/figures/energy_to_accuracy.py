"""Accuracy against the energy that all devices together drew, whatever for; it reads no file.

A target's joules are those drawn when the first evaluation at or above it was made. The server's are in the
table alone: it has a socket.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis.figures import _accuracy
from slfac_sim.analysis.figures._accuracy import draw_accuracy, scaled
from slfac_sim.analysis.format import amount, unit_of
from slfac_sim.analysis.rows import spent_of
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = False


@dataclass(frozen=True)
class Series:
    """One run: joules of devices and server, and accuracy, at each evaluation [evaluations]."""

    label: str
    devices_j: Floats
    server_j: Floats
    accuracy: Floats
    targets: Sequence[float]

    @property
    def reached_at(self) -> Mapping[float, float | None]:
        """At how many joules each target was reached, None where it was not."""
        found: dict[float, float | None] = {}
        for target in self.targets:
            above = np.flatnonzero(self.accuracy >= target)
            found[target] = float(self.devices_j[above[0]]) if above.size else None
        return found


def data(run: Run) -> Series | None:
    """Return accuracy over joules; None where the run is too old to tell what was drawn."""
    spent = spent_of(run)
    if not spent:
        return None
    devices_j, server_j = (np.array([row[name] for row in spent]) for name in ("devices_j", "server_j"))
    return Series(run.label, devices_j, server_j, run.curve().accuracy, list(run.time_to_accuracy_s))


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each evaluation of each run."""
    for one in series:
        for row in zip(one.devices_j, one.server_j, one.accuracy, strict=True):
            values = map(float, row)
            yield {"run": one.label, **dict(zip(("devices_j", "server_j", "accuracy"), values, strict=True))}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of one or several runs on one axis."""
    scale, unit = unit_of((one.devices_j.max(initial=0.0) for one in series), "J")
    shown = [_accuracy.Series(one.label, one.devices_j, one.accuracy, one.reached_at) for one in series]
    label = f"energy drawn by all devices ({unit})"
    return draw_accuracy(scaled(shown, scale), label, lambda drawn: f"{amount(drawn)} {unit}")
