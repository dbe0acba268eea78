"""The mini-batches of one device: which samples of its shard it takes at each step."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.streams import stream

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Shard:
    """One device's part of the training set, and the order in which it is gone through.

    `samples` are indices into the training set. Every pass is a new permutation, drawn from the stream
    ``batches/<device>`` at the number of the pass.
    """

    device: str
    samples: Indices
    batch: int
    seed: int

    def endless(self) -> Iterator[Indices]:
        """Yield batches of exactly min(batch, shard) samples, pass after pass, for ever.

        The rest of a pass that fills no batch is left out of that pass.
        """
        size = min(self.batch, len(self.samples))
        number = 0
        while True:
            order = self._pass(number)
            for first in range(0, len(order) - size + 1, size):
                yield order[first : first + size]
            number += 1

    def epoch(self, number: int) -> list[Indices]:
        """Return the batches of pass `number`, the last one short if it must be.

        A single sample left over joins the batch before it: batch-norm cannot learn from one value.
        """
        order = self._pass(number)
        ends = [self.batch * (step + 1) for step in range(self.steps_per_epoch() - 1)]
        return list(np.split(order, ends))

    def steps_per_epoch(self) -> int:
        """Return how many batches one pass has."""
        whole, rest = divmod(len(self.samples), self.batch)
        return max(whole + (rest > 1), 1)

    @property
    def has_lone_samples(self) -> bool:
        """Whether batches of a single sample come."""
        return min(self.batch, len(self.samples)) == 1

    def _pass(self, number: int) -> Indices:
        return stream(self.seed, f"batches/{self.device}", number).permutation(self.samples)
