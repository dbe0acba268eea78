"""Log-normal speeds: a median, and a spread that is the same factor up and down."""

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import FlopPerSecond
from slfac_sim.hosts.speeds import Speeds


@settings
class LogNormal(Speeds):
    """Half of the devices are slower than `median`; `sigma` is the standard deviation of the logarithm.

    With sigma 0.8 two thirds of the devices lie within a factor of 2.2 of the median; `sigma: 0` makes
    them all equal.
    """

    median: FlopPerSecond = 5e9
    sigma: Annotated[float, Field(ge=0.0, le=5.0)] = 0.8

    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return median x exp(sigma x z) FLOP/s for each of the `devices`, z its own normal draw."""
        return {device: self.median * math.exp(self.sigma * _normal(device, seed)) for device in devices}


def _normal(device: str, seed: int) -> float:
    return float(stream(seed, f"speed/{device}").standard_normal())
