"""The mini-batches of one device: which samples of its shard it takes at each step."""

from collections.abc import Iterator, Mapping
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

    def endless(self) -> "Endless":
        """Return batches of exactly min(batch, shard) samples, pass after pass, for ever.

        The rest of a pass that fills no batch is left out of that pass.
        """
        return Endless(self)

    def epoch(self, number: int) -> list[Indices]:
        """Return the batches of pass `number`, the last one short if it must be.

        A single sample left over joins the batch before it: batch-norm cannot learn from one value.
        """
        order = self.order(number)
        ends = [self.batch * (step + 1) for step in range(self.steps_per_epoch() - 1)]
        return list(np.split(order, ends))

    def steps_per_epoch(self) -> int:
        """Return how many batches one pass has."""
        whole, rest = divmod(len(self.samples), self.batch)
        return max(whole + (rest > 1), 1)

    def sizes(self, steps: int | None, passes: int = 1) -> list[int]:
        """Return the samples of each of `steps` endless batches, or of those of `passes` if that is None."""
        samples = len(self.samples)
        if steps is not None:
            return [min(self.batch, samples)] * steps
        whole = self.steps_per_epoch() - 1
        return ([self.batch] * whole + [samples - self.batch * whole]) * passes

    @property
    def has_lone_samples(self) -> bool:
        """Whether batches of a single sample come."""
        return min(self.batch, len(self.samples)) == 1

    def order(self, number: int) -> Indices:
        """Return all samples in the order of pass `number`."""
        return stream(self.seed, f"batches/{self.device}", number).permutation(self.samples)


class Endless:
    """The endless batches of a shard, and how many of them have been taken."""

    def __init__(self, shard: Shard) -> None:
        self.taken = 0
        self._shard = shard
        self._size = min(shard.batch, len(shard.samples))
        self._number, self._order = -1, shard.samples  # the pass at hand, and its order

    def __iter__(self) -> Iterator[Indices]:
        return self

    def __next__(self) -> Indices:
        number, step = divmod(self.taken, len(self._shard.samples) // self._size)
        if number != self._number:
            self._number, self._order = number, self._shard.order(number)
        self.taken += 1
        return self._order[step * self._size : (step + 1) * self._size]

    def get_state(self) -> dict[str, int]:
        """Return how many batches have been taken."""
        return {"taken": self.taken}

    def set_state(self, state: Mapping[str, int]) -> None:
        """Go on after as many batches."""
        self.taken = state["taken"]
