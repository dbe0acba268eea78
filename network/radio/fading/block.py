"""Block fading: an independent power gain per device and block, on one grid of time for the whole cell."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.first_draws import first_draws
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import MetresPerSecond, Seconds
from slfac_sim.network.radio.fading import Rician, coherence_s, doppler_hz, power_gain, rician_gain


@settings
class Block(Rician):
    """A gain holds for both directions; its mean is 1, its law that of `small_scale`."""

    speed: MetresPerSecond = 1.0
    """Speed of what moves around the links, while devices stay where they are. It gives the Doppler shift v f
    / c at the carrier f: the faster, the more often rates change, an event each time.
    """
    coherence: Seconds | None = None
    """Length of a block, the same for all devices; null: 0.423 / Doppler shift, a usual figure for the time
    in which a link stays much the same.
    """

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
        return power_gain(stream(seed, _purpose(device), block), k)

    @property
    def ahead(self) -> int:
        """Eight: drawn together, they cost as much as one alone."""
        return 8

    def gains(self, seed: int, devices: Sequence[str], blocks: Sequence[int], k: Floats) -> Floats:
        """Return the gains [devices, blocks], bit for bit those of `gain`."""
        gains, turns = first_draws(seed, [_purpose(device) for device in devices], blocks)
        for row in np.flatnonzero(k > 0.0).tolist():
            each = zip(gains[row].tolist(), turns[row].tolist(), strict=True)
            gains[row] = [rician_gain(gain, turn, float(k[row])) for gain, turn in each]
        return gains


def _purpose(device: str) -> str:
    return f"fading/{device}"
