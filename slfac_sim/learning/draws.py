"""torch's own draws, keyed as all others are: every piece of work has a generator of its own; no clock.

A module that draws (dropout, somebody's noise) draws from torch's global generator. While a job runs that is
set to a key made of seed, host, purpose and step, and afterwards it is what it was before. `step` counts the
jobs of one purpose on one host, so that no other host's work, and no order of arrival, reaches a draw.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import torch

from slfac_sim.foundation.streams import stream


@contextmanager
def drawn_for(seed: int, purpose: str, step: int = 0) -> Iterator[None]:
    """Have torch draw what is keyed by `seed`, `purpose` and `step`; its generators are then as before."""
    key = int(stream(seed, f"torch/{purpose}", step).integers(1 << 63))
    cuda = torch.cuda.default_generators if torch.cuda.is_initialized() else ()
    generators = (torch.default_generator, *cuda)
    before = [generator.get_state() for generator in generators]
    try:
        for generator in generators:
            generator.manual_seed(key)
        yield
    finally:
        for generator, state in zip(generators, before, strict=True):
            generator.set_state(state)


class Draws:
    """What the jobs of `host` draw, each by its purpose and its number among those of this purpose."""

    def __init__(self, seed: int, host: str) -> None:
        self._seed = seed
        self._host = host
        self._steps: Counter[str] = Counter()

    def of(self, purpose: str) -> AbstractContextManager[None]:
        """Return what keys the next job for `purpose`; the job runs inside."""
        step = self._steps[purpose]
        self._steps[purpose] += 1
        return drawn_for(self._seed, f"{self._host}/{purpose}", step)

    def get_state(self) -> Mapping[str, int]:
        """Return how many jobs there have been, by purpose."""
        return dict(self._steps)

    def set_state(self, state: Mapping[str, int]) -> None:
        """Go on after as many jobs."""
        self._steps = Counter(state)
