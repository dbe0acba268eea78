"""From signal-to-noise ratio to bits per second, one file per model; they know no position and no time."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import inf

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import Family
from slfac_sim.network.radio.signal import Signal

Survival = Callable[[Floats], Floats]
"""P(power gain > x) of a fading law whose mean gain is 1."""


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)

NO_GAIN_ABOVE = 40.0
"""A gain of mean 1 exceeds this with a probability below 1e-17 (Rayleigh; less so for Rician)."""


class RateModel(ABC):
    """Settings of a rate model. `snr` are power ratios [devices], not decibels.

    A device's rate is the same to the last bit whoever else is in the array: sums go element by element.
    The law of all models (`tests/test_network_uplink.py`): what a sender has at best never falls as the
    band or its power grows.
    """

    @abstractmethod
    def rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        """Return the rate of a device that has the whole band; 0 below the lowest usable SNR."""

    @abstractmethod
    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool, survival: Survival) -> Floats:
        """Return the mean rate when the SNR fades around its mean `snr`, and the rate follows it."""

    def best_rate_bps(self, signal: Signal, bandwidth_hz: float, part: float, uplink: bool) -> Floats:
        """Return the most that senders with `part` of the band can have, in all of it or in less.

        As it stands, in all of it: right where no SNR is too low, and w SE(SNR / w) grows with the width w.
        """
        return part * self.rate_bps(signal.snr_in(part * bandwidth_hz), bandwidth_hz, uplink)

    def best_mean_rate_bps(
        self, signal: Signal, bandwidth_hz: float, part: float, uplink: bool, survival: Survival
    ) -> Floats:
        """Return the mean of `best_rate_bps` when the signal fades, and the choice of the part follows it."""
        snr = signal.snr_in(part * bandwidth_hz)
        return part * self.mean_rate_bps(snr, bandwidth_hz, uplink, survival)

    def covers(self, signal: Signal, uplink: bool) -> Bools:
        """Return whether bits get through in the narrowest part of a band. As it stands, always."""
        return np.ones(signal.snr.shape, bool)

    def most_parts(self, bandwidth_hz: float) -> float:
        """Return into how many parts the band divides at most; as it stands, into any number."""
        return inf

    def check(self, bandwidth_hz: float) -> None:  # noqa: B027 - there may be nothing to refuse
        """Raise `ValueError` for a bandwidth in which nothing can be sent at all; as it stands, for none."""

    def remarks(self, bandwidth_hz: float) -> tuple[str, ...]:
        """Return what a user should know about this model at this bandwidth; as it stands, nothing."""
        return ()


FAMILY = Family(RateModel)


def integral(scale: float, low: Floats, top: Floats, height: Callable[[Floats], Floats]) -> Floats:
    """Return `scale` times the integral of `height` from `low` to `top` [devices], by Gauss-Legendre."""
    total = np.zeros_like(top)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        total += weight * height(low + (top - low) * (node + 1.0) / 2.0)
    return scale * total * (top - low) / 2.0
