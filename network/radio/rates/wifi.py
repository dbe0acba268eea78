"""802.11 link adaptation: the fastest PHY rate whose least SNR is met, for one stream.

These are rates of the PHY: only the media `csma` and `dcf` know what frames, answers and backoffs cost. A
device has so much power in whatever part of the channel it sends, so that in a half, a quarter or an eighth
of a wide one its SNR is higher: it takes the width that serves it best. A station's power is that of each
20 MHz, so that all of the channel always serves best.
"""

from functools import lru_cache
from typing import ClassVar

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Hertz
from slfac_sim.network.radio.stepwise import Steps, Stepwise
from slfac_sim.network.wifi.standards import Standard, check_width, rates, widths_hz

_CELLS_HZ = 20e6


@settings
class Wifi(Stepwise):
    """It is the rate model of `network: {kind: wifi}`."""

    references: ClassVar[tuple[str, ...]] = ("ieee80211",)

    standard: Standard = "802.11n"
    """The standard whose rates and least SNRs hold: `802.11a`, up to 54 Mbit/s, `802.11n`, up to 65, and,
    in 20 MHz, `802.11ac`, up to 78, or `802.11ax`, up to 143 Mbit/s.
    """
    bandwidth: Hertz = 20e6
    """Width of the channel; in a cell it is 20 MHz."""

    def __post_init__(self) -> None:
        check_width(self.standard, self.bandwidth)

    @property
    def block_hz(self) -> float:
        """The channel: a frame has it to itself."""
        return self.bandwidth

    def blocks(self, bandwidth_hz: float) -> int:
        """Return 1: a frame has the whole channel."""
        return 1

    def steps(self, uplink: bool) -> Steps:
        """Return the rates and the SNRs in all of the channel from which on they can be used."""
        return _steps(self.standard, self.bandwidth, uplink)

    def check(self, bandwidth_hz: float) -> None:
        """Raise `ValueError` for any bandwidth of a cell but 20 MHz."""
        if bandwidth_hz != _CELLS_HZ or self.bandwidth != _CELLS_HZ:
            wrong_hz = bandwidth_hz if bandwidth_hz != _CELLS_HZ else self.bandwidth
            raise ValueError(f"bandwidth must be 20 MHz for 802.11 rates (got {wrong_hz / 1e6:g} MHz)")


@lru_cache
def _steps(standard: Standard, bandwidth_hz: float, uplink: bool) -> Steps:
    """Return the steps in order; in an n-th of the channel a device has n times the SNR."""
    widths = [width for width in widths_hz(standard) if width <= bandwidth_hz] if uplink else [bandwidth_hz]
    each = [
        (rate.least_db, width / bandwidth_hz, rate.bps) for width in widths for rate in rates(standard, width)
    ]
    least_db, part, rates_bps = np.array(each).T
    least = np.power(10.0, least_db / 10.0) * part
    order = np.lexsort((-rates_bps, least))
    fastest_bps = np.maximum.accumulate(rates_bps[order])
    gains = np.diff(fastest_bps, prepend=0.0) > 0.0
    return tuple(least[order][gains].tolist()), tuple(fastest_bps[gains].tolist())
