"""Many lanes of a timeline as shares: how many of them do what, over time."""

from collections.abc import Iterable, Sequence

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
    spans = ((*span, 1) for lane in lanes for span in lane.spans)
    return crowd(name, len(lanes), spans, n_looks, from_s, to_s, bins)


def crowd(
    name: str,
    n_lanes: int,
    spans: Iterable[tuple[float, float, int, int]],
    n_looks: int,
    from_s: float,
    to_s: float,
    bins: int = BINS,
) -> Crowd:
    """Return the same of `n_lanes`, of whose `spans` (from, to, look, lanes) some are of many lanes."""
    every = np.array(list(spans), np.float64).reshape(-1, 4)
    edges = np.clip((every[:, :2] - from_s) / ((to_s - from_s) or 1.0) * bins, 0.0, bins)
    busy = np.zeros((n_looks, bins + 1))
    for look in range(n_looks):
        own = every[:, 2] == look
        begun, ended = (_before(edges[own, end], every[own, 3], bins) for end in (0, 1))
        busy[look] = ended - begun
    shares = busy[:, :bins].T / max(n_lanes, 1)
    return Crowd(name, n_lanes, np.round(shares, 4).tolist())


def _before(edges: Floats, lanes: Floats, bins: int) -> Floats:
    """Return how much of each bin lies before `edges`, in bins, added up over `lanes`; of one more bin."""
    last = edges.astype(np.int64)
    later = lanes.sum() - np.cumsum(np.bincount(last, lanes, minlength=bins + 1))
    return np.asarray(later + np.bincount(last, lanes * (edges - last), bins + 1))
