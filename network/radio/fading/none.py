"""No fading: the SNR is the mean SNR."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.radio.fading import Floats
from slfac_sim.network.radio.rates import RateModel


@settings
class NoFading:
    """Nothing to set."""

    coherence_s = None

    def mean_rate_bps(
        self, rates: RateModel, snr: Floats, bandwidth_hz: float, uplink: bool, k: Floats
    ) -> Floats:
        """Return the rate at `snr`, whatever `k`."""
        return rates.rate_bps(snr, bandwidth_hz, uplink)

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return 1."""
        return 1.0
