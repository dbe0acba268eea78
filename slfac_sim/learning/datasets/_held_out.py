"""Which samples of a data set are held out, drawn at random: each by itself, or with those of its group."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.streams import stream


def drawn(
    purpose: str, samples: int, count: int, groups: NDArray[Any] | None = None, seed: int = 0
) -> NDArray[np.bool_]:
    """Return which of so many `samples` are drawn, `count` of them: [samples].

    Samples that are alike in `groups` ([samples], None: all differ) are drawn together, so that there may be
    fewer than `count`: a group that has more than are still wanted is passed over.
    """
    chosen = np.zeros(samples, dtype=np.bool_)
    if groups is None:
        chosen[stream(seed, purpose).permutation(samples)[:count]] = True
        return chosen
    _, which, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    taken, left = np.zeros(len(sizes), dtype=np.bool_), count
    for group in stream(seed, purpose).permutation(len(sizes)):
        if sizes[group] <= left:
            taken[group], left = True, left - sizes[group]
    chosen[taken[which]] = True
    return chosen
