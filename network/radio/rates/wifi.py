"""802.11 link adaptation: the fastest PHY rate whose lowest SNR is met, for one stream in 20 MHz.

Rates of IEEE Std 802.11-2016, Tables 17-4 (OFDM) and 19-27 (HT, 800 ns guard interval). The SNRs are not
the standard's: they are usual engineering values, with 3 dB of margin. These are rates of the PHY: only the
media `csma` and `dcf` know what frames, answers and backoffs cost.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import settings
from slfac_sim.network.radio.rates import Floats, Survival
from slfac_sim.network.wifi.station import STANDARD
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
_BANDWIDTH_HZ = 20e6


@settings
class Wifi:
    """`standard` chooses the table; a medium that is 802.11 too should be of the same."""

    references: ClassVar[tuple[Reference, ...]] = (STANDARD,)

    standard: Standard = "802.11n"

    def rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool) -> Floats:
        """Return the PHY rate; 0 below the lowest."""
        thresholds = np.power(10.0, np.array(THRESHOLDS_DB[self.standard]) / 10.0)
        steps = np.searchsorted(thresholds, snr, side="right")
        return np.concatenate(([0.0], RATES_BPS[self.standard]))[steps]

    def mean_rate_bps(self, snr: Floats, bandwidth_hz: float, uplink: bool, survival: Survival) -> Floats:
        """Return the mean over fading: the sum over the rates of what each adds, when it can be used."""
        mean_bps = np.zeros_like(snr)
        gains_bps = np.diff(RATES_BPS[self.standard], prepend=0.0)
        for threshold_db, gained_bps in zip(THRESHOLDS_DB[self.standard], gains_bps, strict=True):
            mean_bps += gained_bps * survival(np.power(10.0, threshold_db / 10.0) / snr)
        return mean_bps

    def check(self, bandwidth_hz: float) -> None:
        """Raise `ValueError` for any bandwidth but 20 MHz."""
        if bandwidth_hz != _BANDWIDTH_HZ:
            raise ValueError(f"bandwidth must be 20 MHz for 802.11 rates (got {bandwidth_hz / 1e6:g} MHz)")

    def remarks(self, bandwidth_hz: float) -> tuple[str, ...]:
        """Say nothing: there is one bandwidth."""
        return ()
