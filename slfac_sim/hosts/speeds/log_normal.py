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
    """Speeds with normal logarithms: at sigma 0.8 two thirds lie within a factor of 2.2 of the median."""

    median: FlopPerSecond = 5e9
    """FLOP/s that half of the devices do not reach."""
    sigma: Annotated[float, Field(ge=0.0, le=5.0)] = 0.8
    """Standard deviation of the logarithm of the speed; 0 makes all devices equal."""

    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return median x exp(sigma x z) FLOP/s for each of the `devices`, z its own normal draw."""
        return {device: self.median * math.exp(self.sigma * _normal(device, seed)) for device in devices}


def _normal(device: str, seed: int) -> float:
    return float(stream(seed, f"speed/{device}").standard_normal())
