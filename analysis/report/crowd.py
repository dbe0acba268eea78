"""Many lanes of a timeline as shares: how many of them do what, over time."""

from collections.abc import Sequence

import numpy as np

from slfac_sim.analysis.report.blocks import Crowd, Lane
from slfac_sim.foundation.arrays import Floats

BINS = 400  # about as many as a page shows side by side


def crowd_of(
    name: str, lanes: Sequence[Lane], n_looks: int, from_s: float, to_s: float, bins: int = BINS
) -> Crowd:
    """Return what `lanes` do, as the share of them that does each of `n_looks` things, in each of `bins`.

    A share is over the whole bin: a lane that does something for half of it counts by half.
    """
    busy = np.zeros((n_looks, bins + 1))
    for look in range(n_looks):
        spans = [(begun, ended) for lane in lanes for begun, ended, what in lane.spans if what == look]
        if spans:
            edges = np.clip((np.asarray(spans) - from_s) / ((to_s - from_s) or 1.0) * bins, 0.0, bins)
            busy[look] = _before(edges[:, 1], bins) - _before(edges[:, 0], bins)
    shares = busy[:, :bins].T / max(len(lanes), 1)
    return Crowd(name, len(lanes), np.round(shares, 4).tolist())


def _before(edges: Floats, bins: int) -> Floats:
    """Return how much of each bin lies before `edges`, in bins, added up; of one more than `bins`."""
    last = edges.astype(np.int64)
    ending = np.bincount(last, minlength=bins + 1)
    later = len(edges) - np.cumsum(ending)
    return np.asarray(later + np.bincount(last, edges - last, bins + 1))
