"""Fading correlated in time: scattered waves from all around, each with its own Doppler shift.

The sum of sinusoids of Xiao, Zheng and Beaulieu (2006): with N waves of random angle and phase the
autocorrelation is J0(2 pi fd t), Clarke's, and the gain at any time is a function of (seed, device, time)
alone, without a history. The gain's law is Rayleigh's or Rician's but for terms of the order of 1 / N.
"""

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Hertz, MetresPerSecond, Seconds
from slfac_sim.network.radio.fading import Fading, doppler_hz
from slfac_sim.network.radio.fading._following import AROUND_MPS, Followable, followed
from slfac_sim.network.varying.motion import Motion

_WAVES = 64
_OF_A_PERIOD = 0.1


@settings
class Jakes(Followable):
    """Gains of 64 such waves, sampled at equal intervals."""

    references: ClassVar[tuple[str, ...]] = ("clarke1968", "xiao2006")

    speed: MetresPerSecond | None = None
    """Speed that gives the Doppler shift v f / c at the carrier f: the faster, the more often rates change,
    an event each time. null: each device's own, where `change` moves it, but at least 1 m/s, which is that of
    what moves around devices that stand.
    """
    doppler: Hertz | None = None
    """Largest Doppler shift, in place of that from `speed`; null: as `speed` has it."""
    interval: Seconds | None = None
    """Time between changes of the rates, for which those of its beginning hold; null: a tenth of 1 / Doppler
    shift, which follows the fades closely.
    """

    def __post_init__(self) -> None:
        if self.interval == 0.0:
            raise ValueError("interval must be longer than 0 s; without blocks take fading: ergodic")

    @property
    def coherence_s(self) -> float:
        """The length of a block: the interval, not the coherence time of the channel."""
        return self._course[1]

    def tuned(self, carrier_hz: float) -> "Jakes":
        """Return the fading at a carrier."""
        speed = AROUND_MPS if self.speed is None else self.speed
        doppler = doppler_hz(speed, carrier_hz) if self.doppler is None else self.doppler
        interval = _OF_A_PERIOD / doppler if self.interval is None else self.interval
        return dataclasses.replace(self, doppler=doppler, interval=interval)

    def followed(self, carrier_hz: float, motions: Mapping[str, Motion]) -> Fading:
        """Return the fading as devices on their ways meet it, unless its speed or its shift are given."""
        given = self.doppler is not None or self.speed is not None
        return self.tuned(carrier_hz) if given else followed(self.tuned(carrier_hz), motions, self.interval)

    def gains_at(self, seed: int, device: str, times_s: Floats, k: float) -> Floats:
        """Return the gains [times]."""
        return gains(seed, device, times_s * self._course[0], k)

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return the power gain of `device` at the beginning of `block`."""
        doppler, interval_s = self._course
        return float(gains(seed, device, np.array([block * interval_s * doppler]), k)[0])

    @property
    def _course(self) -> tuple[float, float]:
        if self.doppler is None or self.interval is None:
            raise TypeError("jakes fading has a course once it is tuned to a carrier")
        return self.doppler, self.interval


def gains(seed: int, device: str, periods: Floats, k: float) -> Floats:
    """Return the power gains [times] of `device` at `periods` (seconds x Doppler).

    The steady path arrives at an angle and with a phase of its own, drawn for the device.
    """
    shifts, phases = _waves(seed, device)
    waves = np.exp(1j * (np.multiply.outer(2.0 * np.pi * periods, shifts) + phases))
    scattered = waves[:, 1:].sum(axis=1) / np.sqrt(_WAVES)
    gain: Floats = np.abs(np.sqrt(k) * waves[:, 0] + scattered) ** 2 / (k + 1.0)
    return gain


@lru_cache(maxsize=4096)
def _waves(seed: int, device: str) -> tuple[Floats, Floats]:
    """Return the cosines of the angles of arrival and the phases: the steady path, then N waves.

    The n-th of the N waves comes from anywhere in its own N-th of the circle.
    """
    angles, phases = 2.0 * np.pi * stream(seed, f"jakes/{device}").random((2, 1 + _WAVES))
    angles[1:] = (2.0 * np.pi * np.arange(_WAVES) + angles[1:]) / _WAVES
    return np.cos(angles), phases
