"""From signal-to-noise ratio to bits per second, one file per model; they know no position and no time."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import Family

Floats = NDArray[np.float64]

Survival = Callable[[Floats], Floats]
"""P(power gain > x) of a fading law whose mean gain is 1."""


class RateModel(Protocol):
    """Settings of a rate model. `snr` are power ratios [devices], not decibels.

    A device's rate is the same to the last bit whoever else is in the array: sums go element by element.
    """

    def rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        """Return the rate of a device that has the whole band; 0 below the lowest usable SNR."""
        ...

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool, survival: Survival) -> Floats:
        """Return the mean rate when the SNR fades around its mean `snr`, and the rate follows it."""
        ...

    def check(self, bandwidth_hz: float) -> None:
        """Raise `ValueError` for a bandwidth in which nothing can be sent at all."""
        ...

    def remarks(self, bandwidth_hz: float) -> tuple[str, ...]:
        """Return what a user should know about this model at this bandwidth."""
        ...


FAMILY = Family(RateModel)
