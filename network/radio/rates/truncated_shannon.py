"""LTE as an attenuated and truncated Shannon bound (3GPP TR 36.942, Annex A); no overhead comes off.

B alpha log2(1 + SNR), nothing below -10 dB, and a ceiling: what the best MCS carries. A sender limited by
power takes no more of the band than leaves it -10 dB, and no less than a resource block of 180 kHz.
"""

from typing import ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Decibels, Part, Positive
from slfac_sim.network.radio.rates import NO_GAIN_ABOVE, RateModel, Survival, integral
from slfac_sim.network.radio.signal import Signal

_BLOCK_HZ = 180e3


@settings
class TruncatedShannon(RateModel):
    """The losses of all parts of a system, and a ceiling, are told for each direction.

    The defaults are the report's: 64QAM of rate 4/5 down, 16QAM of rate 3/4 up, one antenna a side.
    """

    references: ClassVar[tuple[str, ...]] = ("tr36942",)

    up_alpha: Part = 0.4
    """Part of Shannon's capacity that the uplink achieves, for all its losses."""
    down_alpha: Part = 0.6
    """Part of Shannon's capacity that the downlink achieves, for all its losses."""
    up_se_max: Positive = 2.0
    """Most that the uplink carries, in bit/s/Hz, however high the SNR."""
    down_se_max: Positive = 4.4
    """Most that the downlink carries, in bit/s/Hz, however high the SNR."""
    snr_min: Decibels = -10.0
    """SNR below which nothing is carried; in the band's narrowest part, 180 kHz, it decides on coverage."""

    def __post_init__(self) -> None:
        for uplink in (True, False):
            alpha, ceiling = self._alpha(uplink), self._se_max(uplink)
            if not 0.0 < alpha <= 1.0:
                raise ValueError(f"up_alpha and down_alpha must lie in (0, 1] (got {alpha:g})")
            if not ceiling >= self._se_min(uplink):
                raise ValueError(f"up_se_max and down_se_max must be reached above snr_min (got {ceiling:g})")

    def rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        """Return the rate of a device that has the whole band; 0 below `snr_min`."""
        se = np.minimum(self._alpha(uplink) * np.log2(1.0 + snr), self._se_max(uplink))
        return bandwidth_hz * np.where(snr < self._lowest, 0.0, se)

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool, survival: Survival) -> Floats:
        """Return the mean over fading: the step at `snr_min`, and the integral of P(SE > y) above it."""
        alpha, se_min = self._alpha(uplink), self._se_min(uplink)
        reachable = alpha * np.log2(1.0 + NO_GAIN_ABOVE * snr)
        top = np.clip(reachable, se_min, self._se_max(uplink))

        def reached(se: Floats) -> Floats:
            return survival(np.expm1(se / alpha * np.log(2.0)) / snr)

        step_bps = bandwidth_hz * se_min * survival(self._lowest / snr)
        return step_bps + integral(bandwidth_hz, np.full_like(top, se_min), top, reached)

    def best_rate_bps(self, signal: Signal, bandwidth_hz: float, part: float, uplink: bool) -> Floats:
        """Return the rate in all of the part or, where its SNR is too low, in the most where it is not."""
        room_hz, time = _room(bandwidth_hz, part)
        least_hz = min(room_hz, _BLOCK_HZ)
        narrow_hz = np.minimum(room_hz, signal.cn0_hz / self._lowest)
        usable = (signal.snr >= self._lowest) & (narrow_hz >= least_hz)
        narrow_bps = np.where(usable, narrow_hz * self._se_min(uplink), 0.0)
        return time * np.maximum(self.rate_bps(signal.snr_in(room_hz), room_hz, uplink), narrow_bps)

    def best_mean_rate_bps(
        self, signal: Signal, bandwidth_hz: float, part: float, uplink: bool, survival: Survival
    ) -> Floats:
        """Return the mean over fading: the first bits, an integral up to the whole part, one above."""
        room_hz, time = _room(bandwidth_hz, part)
        se_min, least_hz = self._se_min(uplink), min(room_hz, _BLOCK_HZ)
        first_hz = np.clip(signal.cn0_hz / signal.snr, least_hz, room_hz)
        last_hz = np.clip(NO_GAIN_ABOVE * signal.cn0_hz / self._lowest, first_hz, room_hz)

        def reached(width_hz: Floats) -> Floats:
            return survival(self._lowest / signal.snr_in(width_hz))

        first_bps = se_min * first_hz * survival(self._lowest / signal.snr_in(least_hz))
        narrow_bps = first_bps + integral(se_min, first_hz, last_hz, reached)
        snr = signal.snr_in(room_hz)
        step_bps = room_hz * se_min * survival(self._lowest / snr)
        return time * (narrow_bps + self.mean_rate_bps(snr, room_hz, uplink, survival) - step_bps)

    def covers(self, signal: Signal, uplink: bool) -> Bools:
        """Return whether the SNR in one resource block is `snr_min`."""
        return np.asarray(signal.snr_in(_BLOCK_HZ) >= self._lowest)

    def most_parts(self, bandwidth_hz: float) -> float:
        """Return how many parts of 180 kHz there are."""
        return max(1.0, bandwidth_hz / _BLOCK_HZ)

    @property
    def _lowest(self) -> float:
        return float(np.power(10.0, self.snr_min / 10.0))

    def _alpha(self, uplink: bool) -> float:
        return self.up_alpha if uplink else self.down_alpha

    def _se_max(self, uplink: bool) -> float:
        return self.up_se_max if uplink else self.down_se_max

    def _se_min(self, uplink: bool) -> float:
        return self._alpha(uplink) * float(np.log2(1.0 + self._lowest))


def _room(bandwidth_hz: float, part: float) -> tuple[float, float]:
    """Return the width of a part of the band, a resource block at least, and its part of the time."""
    room_hz = max(part * bandwidth_hz, min(bandwidth_hz, _BLOCK_HZ))
    return room_hz, part * bandwidth_hz / room_hz
