"""Stragglers: now and then a host is slow for a while, because something else runs on it."""

from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Seconds
from slfac_sim.hosts.slowdowns import Factor


@settings
class Stragglers:
    """In each stretch of `each` simulated seconds a host is slow by `factor` with `probability`.

    The stretches of a host begin at 0 and are drawn independently. A compute is slow if it begins in a slow
    stretch, and then to its end. With `each: 0 s` every compute has a draw of its own.
    """

    probability: Annotated[float, Field(ge=0.0, le=1.0)] = 0.1
    factor: Annotated[float, Field(ge=1.0, le=1e6)] = 5.0
    each: Seconds = 10.0

    def open(self, host: str, seed: int) -> Factor:
        """Return the factor of `host`: 1, or `factor` in a slow stretch."""

        def factor(now_s: float, number: int, nominal_s: float) -> float:
            block = int(now_s // self.each) if self.each > 0.0 else number
            slow = float(stream(seed, f"straggler/{host}", block).random()) < self.probability
            return self.factor if slow else 1.0

        return factor
