"""Accuracy of every device on its own share of the test set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.analysis.rows import rows_if_there, rows_of
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.metrics import METRICS, Counts
from slfac_sim.ledger.folder import Run

_Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class OwnShares:
    """One run: `devices` that have test samples, and what was measured, evaluation by evaluation.

    `samples` [devices] are those of their shares, `correct` [evaluations, devices] the right answers.
    """

    label: str
    rounds: Sequence[int]
    at_s: Floats
    devices: Sequence[str]
    samples: NDArray[np.int64]
    correct: NDArray[np.int64]


def own_shares(run: Run) -> OwnShares | None:
    """Return what the table `test_shares` says; None where it has no rows, or is not there."""
    rows = [row for row in rows_if_there(run, ("test_shares",))["test_shares"] if row["samples"]]
    if not rows:
        return None
    at_s = {row["round"]: row["at_s"] for row in rows_of(run, ("evals",))["evals"]}
    rounds, samples = sorted({row["round"] for row in rows}), {row["device"]: row["samples"] for row in rows}
    right = {(row["round"], row["device"]): row["correct"] for row in rows}
    correct = np.array([[right[number, device] for device in samples] for number in rounds])
    times = np.array([at_s[number] for number in rounds])
    return OwnShares(run.label, rounds, times, list(samples), np.array(list(samples.values())), correct)


def metric_of(name: str, shares: OwnShares) -> Floats:
    """Return a metric of devices over the evaluations."""
    counts = (list(zip(shares.samples.tolist(), row, strict=True)) for row in shares.correct.tolist())
    values = [METRICS[name].of(Counts((), devices, 0.0, 0.0)) for devices in counts]
    return np.array(values, dtype=np.float64)


def interval(shares: Floats, samples: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the ends of the 95 % interval of a share of so many samples (Wilson's)."""
    middle = (shares + _Z**2 / (2 * samples)) / (1 + _Z**2 / samples)
    half = _Z * np.sqrt(shares * (1 - shares) / samples + _Z**2 / (4 * samples**2)) / (1 + _Z**2 / samples)
    return middle - half, middle + half
