"""Block fading: an independent power gain per device and block, on one grid of time for the whole cell."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Seconds
from slfac_sim.network.radio.fading import Floats
from slfac_sim.network.radio.fading._rician import power_gain, survival
from slfac_sim.network.radio.rates import RateModel


@settings
class Block:
    """`coherence` is 0.423 / Doppler; the default is that of 1 m/s at 3.5 GHz."""

    coherence: Seconds = 0.036

    def __post_init__(self) -> None:
        if self.coherence <= 0.0:
            raise ValueError("coherence must be longer than 0 s; without blocks take fading: ergodic")

    @property
    def coherence_s(self) -> float | None:
        """The length of a block."""
        return self.coherence

    def mean_rate_bps(
        self, rates: RateModel, snr: Floats, bandwidth_hz: float, uplink: bool, k: Floats
    ) -> Floats:
        """Return the mean of the rate over the blocks."""
        return rates.mean_rate_bps(snr, bandwidth_hz, uplink, survival(k))

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return the power gain of `device` in `block`: exponentially distributed for `k` = 0."""
        return power_gain(stream(seed, f"fading/{device}", block), k)
