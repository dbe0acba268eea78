"""Jitter: every compute takes a little more or less, log-normally, by its own draw."""

import math
from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.hosts.slowdowns import Factor


@settings
class Jitter:
    """Durations are multiplied by log-normal factors of mean 1."""

    sigma: Annotated[float, Field(ge=0.0, le=2.0)] = 0.1
    """Standard deviation of the factor's logarithm: 0.1 is about ten per cent more or less."""

    def open(self, host: str, seed: int) -> Factor:
        """Return the factor exp(sigma z - sigma^2 / 2) of `host`, z normal, one for each compute."""

        def factor(now_s: float, number: int, nominal_s: float) -> float:
            z = float(stream(seed, f"jitter/{host}", number).standard_normal())
            return math.exp(self.sigma * (z - self.sigma / 2.0))

        return factor
