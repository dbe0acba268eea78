"""Small-scale fading, one file per kind; gains have mean 1, and are drawn by (seed, device, block) alone."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from slfac_sim.network.radio.rates import RateModel

Floats = NDArray[np.float64]


class Fading(Protocol):
    """Settings of a kind of fading.

    `coherence_s` is the length of the blocks on whose common grid every device's gain is drawn anew;
    None when rates stay as they are.
    """

    @property
    def coherence_s(self) -> float | None:
        """The length of a block, or None."""
        ...

    def mean_rate_bps(self, rates: RateModel, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        """Return the mean rate [devices] around the mean `snr` (a power ratio)."""
        ...

    def gain(self, seed: int, device: str, block: int) -> float:
        """Return the power gain of `device` in `block`. The same in both directions (one frequency)."""
        ...
