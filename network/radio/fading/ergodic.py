"""Fading much faster than a transfer: the rate is its mean over the fades, and nothing happens."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.radio.fading import Floats
from slfac_sim.network.radio.fading._rician import survival
from slfac_sim.network.radio.rates import RateModel


@settings
class Ergodic:
    """Nothing to set."""

    coherence_s = None

    def mean_rate_bps(
        self, rates: RateModel, snr: Floats, bandwidth_hz: float, uplink: bool, k: Floats
    ) -> Floats:
        """Return the mean of the rate over Rician power gains."""
        return rates.mean_rate_bps(snr, bandwidth_hz, uplink, survival(k))

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return 1: the fades are in the mean rate."""
        return 1.0
