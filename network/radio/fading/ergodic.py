"""Rayleigh fading much faster than a transfer: the rate is its mean over the fades, and nothing happens."""

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.radio.fading import Floats
from slfac_sim.network.radio.rates import RateModel


@settings
class Ergodic:
    """Nothing to set."""

    coherence_s = None

    def mean_rate_bps(self, rates: RateModel, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        """Return the mean of the rate over exponentially distributed power gains."""
        return rates.mean_rate_bps(snr, bandwidth_hz, uplink, rayleigh_survival)

    def gain(self, seed: int, device: str, block: int) -> float:
        """Return 1: the fades are in the mean rate."""
        return 1.0


def rayleigh_survival(gain: Floats) -> Floats:
    """Return P(power gain > `gain`) under Rayleigh fading: exp(-gain)."""
    return np.exp(-gain)
