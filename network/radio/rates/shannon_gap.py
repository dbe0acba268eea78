"""Shannon's capacity with a gap and a ceiling, B min(log2(1 + SNR / gap), se_max); no overhead comes off."""

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Decibels
from slfac_sim.network.radio.rates import Floats, Survival

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_NO_GAIN_ABOVE = 40.0  # a gain of mean 1 exceeds this with a probability below 1e-17 (Rayleigh)


@settings
class ShannonGap:
    """`gap` is the loss of a real code against Shannon's; `se_max` the ceiling in bit/s/Hz (64QAM: 5.55)."""

    gap: Decibels = 0.0
    se_max: float = 5.55

    def __post_init__(self) -> None:
        if not self.se_max > 0.0:
            raise ValueError(f"se_max must be positive (got {self.se_max:g})")

    def rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        """Return the rate of a device that has the whole band; never 0."""
        return bandwidth_hz * np.minimum(np.log2(1.0 + self._effective(snr)), self.se_max)

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool, survival: Survival) -> Floats:
        """Return the mean over fading: the integral of P(SE > y) over y from 0 to the ceiling.

        By Gauss-Legendre quadrature; for Rayleigh fading without ceiling it agrees with the closed form
        log2(e) e^(1/S) E1(1/S) to 1e-6.
        """
        effective = self._effective(snr)
        top = np.minimum(self.se_max, np.log2(1.0 + _NO_GAIN_ABOVE * effective))
        mean_se = np.zeros_like(snr)
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            level = top * (node + 1.0) / 2.0
            mean_se += weight * survival(np.expm1(level * np.log(2.0)) / effective)
        return bandwidth_hz * mean_se * top / 2.0

    def check(self, bandwidth_hz: float) -> None:
        """Take any bandwidth."""

    def remarks(self, bandwidth_hz: float) -> tuple[str, ...]:
        """Say nothing: every bandwidth will do."""
        return ()

    def _effective(self, snr: Floats) -> Floats:
        return np.asarray(snr / np.power(10.0, self.gap / 10.0))
