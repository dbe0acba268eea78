"""Block fading: an independent power gain per device and block, on one grid of time for the whole cell."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.first_draws import first_draws
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import MetresPerSecond, Seconds
from slfac_sim.network.radio.fading import Fading, coherence_s, doppler_hz, power_gain, rician_gain
from slfac_sim.network.radio.fading._following import AROUND_MPS, Followable, followed
from slfac_sim.network.varying.motion import Motion

_ROUNDING = 1e-9  # of a block: who comes to the next one by a sum is there


@settings
class Block(Followable):
    """A gain holds for both directions; its mean is 1, its law that of `small_scale`."""

    speed: MetresPerSecond | None = None
    """Speed that gives the Doppler shift v f / c at the carrier f: the faster, the more often rates change,
    an event each time. null: each device's own, where `change` moves it, but at least 1 m/s, which is that of
    what moves around devices that stand.
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
        speed = AROUND_MPS if self.speed is None else self.speed
        return dataclasses.replace(self, coherence=coherence_s(doppler_hz(speed, carrier_hz)))

    def followed(self, carrier_hz: float, motions: Mapping[str, Motion]) -> Fading:
        """Return the fading as devices on their ways meet it, unless its speed or its blocks are given."""
        given = self.coherence is not None or self.speed is not None
        return self.tuned(carrier_hz) if given else followed(self.tuned(carrier_hz), motions)

    def gains_at(self, seed: int, device: str, times_s: Floats, k: float) -> Floats:
        """Return the gains [times] of the blocks that `times_s` lie in."""
        blocks, of_each = np.unique(np.floor(times_s / self.coherence_s + _ROUNDING), return_inverse=True)
        gains = self.gains(seed, [device], blocks.astype(int).tolist(), np.array([k]))
        return np.asarray(gains[0, of_each])

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
