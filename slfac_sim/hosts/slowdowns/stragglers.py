"""Stragglers: now and then a host is slow for a while, because something else runs on it."""

from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Seconds
from slfac_sim.hosts.slowdowns import Factor


@settings
class Stragglers:
    """A host is slow in some stretches of simulated time, drawn independently for each host.

    The stretches begin at 0. A compute is slow if it begins in a slow stretch, and then to its end.
    """

    probability: Annotated[float, Field(ge=0.0, le=1.0)] = 0.1
    """Probability that a stretch is a slow one."""
    factor: Annotated[float, Field(ge=1.0, le=1e6)] = 5.0
    """How many times as long a compute takes in a slow stretch."""
    each: Seconds = 10.0
    """Length of a stretch; with 0 every compute has a draw of its own."""

    def open(self, host: str, seed: int) -> Factor:
        """Return the factor of `host`: 1, or `factor` in a slow stretch."""

        def factor(now_s: float, number: int, nominal_s: float) -> float:
            block = int(now_s // self.each) if self.each > 0.0 else number
            slow = float(stream(seed, f"straggler/{host}", block).random()) < self.probability
            return self.factor if slow else 1.0

        return factor
