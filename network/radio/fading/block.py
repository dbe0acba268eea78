"""Block fading: an independent power gain per device and block, on one grid of time for the whole cell."""

import dataclasses

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import MetresPerSecond, Seconds
from slfac_sim.network.radio.fading import Rician, coherence_s, doppler_hz, power_gain


@settings
class Block(Rician):
    """One power gain for a block of time, and an independent one for the next."""

    speed: MetresPerSecond = 1.0
    """Speed of what moves, from which the length of a block follows: 0.423 / Doppler shift (v f / c)."""
    coherence: Seconds | None = None
    """Length of a block; null: as `speed` has it."""

    def __post_init__(self) -> None:
        if self.coherence == 0.0:
            raise ValueError("coherence must be longer than 0 s; without blocks take fading: ergodic")

    @property
    def coherence_s(self) -> float:
        """The length of a block. Raises `TypeError` where it follows from a carrier not yet known."""
        if self.coherence is None:
            raise TypeError("block fading has a coherence once it is tuned to a carrier")
        return self.coherence

    def tuned(self, carrier_hz: float) -> "Block":
        """Return the fading at a carrier."""
        if self.coherence is not None:
            return self
        return dataclasses.replace(self, coherence=coherence_s(doppler_hz(self.speed, carrier_hz)))

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return the power gain of `device` in `block`: exponentially distributed for `k` = 0."""
        return power_gain(stream(seed, f"fading/{device}", block), k)
