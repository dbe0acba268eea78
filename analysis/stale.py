"""How stale the mini-batches, halves and models were that an asynchronous server took.

Staleness is the number of server steps (or mixings) since the one that the device had last learnt from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

KINDS = {"step": "server steps", "mix": "mixings"}


@dataclass(frozen=True)
class Taken:
    """What of one kind was taken: its `staleness` and `weight` [times]."""

    staleness: NDArray[np.int64]
    weight: Floats


@dataclass(frozen=True)
class Stale:
    """One run: what was taken, by kind; kinds that there were only."""

    label: str
    taken: dict[str, Taken]


def stale(run: Run) -> Stale | None:
    """Return the table `staleness`; None where it has no row, or is not there."""
    if "staleness" not in run.tables():
        return None
    rows = run.table("staleness")
    staleness, weight = np.asarray(rows["staleness"], np.int64), np.asarray(rows["weight"], np.float64)
    taken = {}
    for kind in KINDS:
        chosen = np.array([run == kind for run in rows["kind"]], dtype=bool)
        if chosen.any():
            taken[kind] = Taken(staleness[chosen], weight[chosen])
    return Stale(run.label, taken) if taken else None


def spread_words(taken: Taken) -> str:
    """Return how many there were, and how stale: ``1,200; median 3, 95 % up to 9, most 14``."""
    middle, high = np.quantile(taken.staleness, [0.5, 0.95], method="inverted_cdf")
    most = int(taken.staleness.max())
    return f"{taken.staleness.size:,}; median {middle:g}, 95 % up to {high:g}, most {most}"
