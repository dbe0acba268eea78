"""802.11 link adaptation: the fastest PHY rate whose lowest SNR is met, for one stream in 20 MHz.

Rates of IEEE Std 802.11-2016, Tables 17-4 (OFDM) and 19-27 (HT, 800 ns guard interval). The SNRs are not
the standard's: they are usual engineering values, with 3 dB of margin. These are rates of the PHY: only the
media `csma` and `dcf` know what frames, answers and backoffs cost.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.radio.stepwise import Steps, Stepwise
from slfac_sim.network.wifi.timing import Standard

RATES_BPS: Mapping[Standard, tuple[float, ...]] = MappingProxyType(
    {
        "802.11a": (6e6, 9e6, 12e6, 18e6, 24e6, 36e6, 48e6, 54e6),
        "802.11n": (6.5e6, 13e6, 19.5e6, 26e6, 39e6, 52e6, 58.5e6, 65e6),
    }
)
THRESHOLDS_DB: Mapping[Standard, tuple[float, ...]] = MappingProxyType(
    {
        "802.11a": (8.0, 9.0, 10.0, 12.0, 16.0, 20.0, 24.0, 25.0),
        "802.11n": (8.0, 11.0, 13.0, 16.0, 20.0, 24.0, 25.0, 26.0),
    }
)
_STEPS: Mapping[Standard, Steps] = MappingProxyType(
    {
        standard: (tuple(np.power(10.0, np.array(THRESHOLDS_DB[standard]) / 10.0).tolist()), rates_bps)
        for standard, rates_bps in RATES_BPS.items()
    }
)
_BANDWIDTH_HZ = 20e6


@settings
class Wifi(Stepwise):
    """It is the rate model of `network: {kind: wifi}`."""

    references: ClassVar[tuple[str, ...]] = ("ieee80211",)

    standard: Standard = "802.11n"
    """The standard whose rates and least SNRs hold: `802.11a`, up to 54 Mbit/s, or `802.11n`, up to 65
    Mbit/s.
    """

    block_hz = _BANDWIDTH_HZ

    def blocks(self, bandwidth_hz: float) -> int:
        """Return 1: a frame has the whole channel."""
        return 1

    def steps(self, uplink: bool) -> Steps:
        """Return the rates and the SNRs from which on they can be used; 0 below the lowest."""
        return _STEPS[self.standard]

    def check(self, bandwidth_hz: float) -> None:
        """Raise `ValueError` for any bandwidth but 20 MHz."""
        if bandwidth_hz != _BANDWIDTH_HZ:
            raise ValueError(f"bandwidth must be 20 MHz for 802.11 rates (got {bandwidth_hz / 1e6:g} MHz)")
