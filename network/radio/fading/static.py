"""Fading that stands still: every device has one power gain for the whole run, drawn by its name.

A device may be drawn into a deep fade and stay there, out of reach.
"""

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.network.radio.fading import Floats
from slfac_sim.network.radio.fading._rician import power_gain
from slfac_sim.network.radio.rates import RateModel


@settings
class Static:
    """Nothing to set."""

    coherence_s = None

    def mean_rate_bps(
        self, rates: RateModel, snr: Floats, bandwidth_hz: float, uplink: bool, k: Floats
    ) -> Floats:
        """Return the rate at `snr`, which contains the gains already."""
        return rates.rate_bps(snr, bandwidth_hz, uplink)

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return the gain of `device`, the same in every block: that of block 0 of `block` fading."""
        return power_gain(stream(seed, f"fading/{device}"), k)
