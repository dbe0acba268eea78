"""Each device's own share of the test set: of every class the part that it has of the training samples."""

from collections.abc import Sequence

import numpy as np

from slfac_sim.foundation.streams import stream
from slfac_sim.learning.batches import Indices

NOBODY = -1


def owners(train_labels: Indices, shares: Sequence[Indices], test_labels: Indices, seed: int) -> Indices:
    """Return the place of the device that each test sample is of, [test samples]; every one has one owner.

    `shares` are the training samples of each device. Whatever law has dealt these out, a device has of each
    class as large a part of the test samples as of the training samples, to the next whole sample above or
    below; which ones, and which of the two, is drawn. Classes that nobody has are `NOBODY`'s.
    """
    owner = np.full(len(test_labels), NOBODY, dtype=np.int64)
    held = [np.bincount(train_labels[samples], minlength=int(train_labels.max()) + 1) for samples in shares]
    by_class = np.stack(held, axis=1)  # [classes, devices]
    for label in np.unique(test_labels):
        if label >= len(by_class) or not by_class[label].any():
            continue
        draws = stream(seed, "evaluation/shares", int(label))
        members = draws.permutation(np.flatnonzero(test_labels == label))
        devices = draws.permutation(len(shares))
        owner[members] = devices[_dealt(by_class[label][devices], len(members), draws.random())]
    return owner


def _dealt(held: Indices, samples: int, start: float) -> Indices:
    """Return which of those who have `held` each of `samples` is for, in order: systematic sampling."""
    places = (np.arange(samples) + start) * (held.sum() / samples)
    whose: Indices = np.searchsorted(np.cumsum(held), places, side="right")
    return np.minimum(whose, len(held) - 1)
