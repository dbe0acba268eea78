"""Small-scale fading, one file per kind; gains have mean 1, and are drawn by (seed, device, block) alone."""

from abc import ABC, abstractmethod

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.plugins import Family
from slfac_sim.network.radio.rates import Survival

_C_M_PER_S = 299_792_458.0


class Fading(ABC):
    """Settings of a kind of fading.

    `coherence_s` is the length of the blocks on whose common grid every device's gain is drawn anew;
    None when rates stay as they are. `k` is the Rician factor, the power of the steady path over that of
    the scattered ones: a power ratio, 0 for Rayleigh.

    Without blocks, each device has its gain of block 0 throughout, and `survival` is asked around a mean
    that already contains it.
    """

    @property
    def coherence_s(self) -> float | None:
        """The length of a block, or None; as it stands, None."""
        return None

    def tuned(self, carrier_hz: float) -> "Fading":
        """Return these settings with what follows from the carrier filled in; as it stands, nothing."""
        return self

    @abstractmethod
    def survival(self, k: Floats) -> Survival | None:
        """Return P(power gain > x) of the fades that pass [devices]; None where none do."""

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return the power gain of `device` in `block`, the same in both directions; as it stands, 1."""
        return 1.0


FAMILY = Family(Fading)


def doppler_hz(speed_m_per_s: float, carrier_hz: float) -> float:
    """Return the largest Doppler shift, v f / c."""
    return speed_m_per_s * carrier_hz / _C_M_PER_S


def coherence_s(doppler_hz: float) -> float:
    """Return the coherence time 0.423 / Doppler.

    It is the geometric mean of 9 / (16 pi fd), over which the correlation falls to one half, and 1 / fd.
    """
    return 0.423 / doppler_hz
