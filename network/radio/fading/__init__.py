"""Small-scale fading, one file per kind; gains have mean 1, and are drawn by (seed, device, block) alone."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from math import cos, pi, sqrt

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.plugins import Family
from slfac_sim.network.radio.rates import Survival
from slfac_sim.network.varying.motion import Motion

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

    def followed(self, carrier_hz: float, motions: Mapping[str, Motion]) -> "Fading":
        """Return the same where the devices in `motions` move; as it stands, that is no concern of it."""
        return self.tuned(carrier_hz)

    @abstractmethod
    def survival(self, k: Floats) -> Survival | None:
        """Return P(power gain > x) of the fades that pass [devices]; None where none do."""

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return the power gain of `device` in `block`, the same in both directions; as it stands, 1."""
        return 1.0

    @property
    def ahead(self) -> int:
        """How many blocks' gains are best drawn together; as it stands, those of one."""
        return 1

    def gains(self, seed: int, devices: Sequence[str], blocks: Sequence[int], k: Floats) -> Floats:
        """Return the gains [devices, blocks]; `k` [devices]. As it stands, one by one."""
        each = zip(devices, k.tolist(), strict=True)
        return np.array([[self.gain(seed, device, block, one) for block in blocks] for device, one in each])


class Rician(Fading):
    """Fading whose fades pass, by the law of `survival` (which for `k` = 0 is Rayleigh's)."""

    def survival(self, k: Floats) -> Survival:
        """Return the tail of Rician power gains."""
        return survival(k)


FAMILY = Family(Fading)


def doppler_hz(speed_m_per_s: float, carrier_hz: float) -> float:
    """Return the largest Doppler shift, v f / c."""
    return speed_m_per_s * carrier_hz / _C_M_PER_S


def coherence_s(doppler_hz: float) -> float:
    """Return the coherence time 0.423 / Doppler.

    It is the geometric mean of 9 / (16 pi fd), over which the correlation falls to one half, and 1 / fd.
    """
    return 0.423 / doppler_hz


def power_gain(rng: np.random.Generator, k: float) -> float:
    """Draw a Rician power gain of mean 1: |z|^2 is exponential and the phase of z uniform.

    It is |sqrt(K / (K + 1)) + sqrt(1 / (K + 1)) z|^2 with z complex normal, E|z|^2 = 1. The draws do not
    depend on `k`, so that links of any K are compared over the same scatterers.
    """
    return rician_gain(float(rng.standard_exponential()), float(rng.random()), k)


def rician_gain(scattered: float, turn: float, k: float) -> float:
    """Return the gain of scattered paths, of a power of mean 1, and a steady one a part of a `turn` off."""
    angle = 2.0 * pi * turn
    return (k + 2.0 * sqrt(k * scattered) * cos(angle) + scattered) / (k + 1.0)


def survival(k: Floats) -> Survival:
    """Return P(power gain > x) [devices] for Rician factors `k` [devices].

    Twice (K + 1) times the gain is noncentral chi-squared with 2 degrees of freedom and noncentrality
    2 K, whose tail is Marcum's Q of order 1; for K = 0 it is exp(-x).
    """
    rician = k > 0.0
    if not rician.any():
        return rayleigh_survival

    def tail(x: Floats) -> Floats:
        from scipy.special import chndtr

        return np.where(rician, 1.0 - chndtr(2.0 * (k + 1.0) * x, 2.0, 2.0 * k), np.exp(-x))

    return tail


def rayleigh_survival(x: Floats) -> Floats:
    """Return P(power gain > `x`) under Rayleigh fading: exp(-x)."""
    return np.exp(-x)
