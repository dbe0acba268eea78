"""3GPP urban micro street canyon (TR 38.901, Tables 7.4.1-1 and 7.4.2-1), 0.5 to 100 GHz, from 10 m on."""

from typing import ClassVar

import numpy as np

from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Metres
from slfac_sim.network.radio.pathloss import Bools, Floats

_C_M_PER_S = 3.0e8  # Note 1 of Table 7.4.1-1 rounds the speed of light
_EFFECTIVE_ENVIRONMENT_M = 1.0


@settings
class Umi:
    """Heights of the antennas above the street."""

    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            key="tr38901",
            entry="techreport",
            title="Study on channel model for frequencies from 0.5 to 100 GHz",
            authors=("3GPP",),
            within="3rd Generation Partnership Project",
            number="TR 38.901",
        ),
    )

    station_height: Metres = 10.0
    device_height: Metres = 1.5

    shortest_m = 10.0

    def __post_init__(self) -> None:
        if min(self.station_height, self.device_height) <= _EFFECTIVE_ENVIRONMENT_M:
            raise ValueError("station_height and device_height must be above 1 m (UMi street canyon)")

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight: 1 up to 18 m, then falling."""
        near = 18.0 / np.maximum(distance_m, 18.0)
        return near + np.exp(-distance_m / 36.0) * (1.0 - near)

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the median loss; distances below 10 m count as 10 m."""
        d2d_m = np.maximum(distance_m, self.shortest_m)
        d3d_m = np.hypot(d2d_m, self.station_height - self.device_height)
        return pathloss_db(d2d_m, d3d_m, carrier_hz, self.station_height, self.device_height, los)

    def shadowing_sigma_db(self, los: Bools) -> Floats:
        """Return 4 dB with and 7.82 dB without line of sight."""
        return np.where(los, 4.0, 7.82)


def breakpoint_m(carrier_hz: float, station_height_m: float, device_height_m: float) -> float:
    """Return the breakpoint distance d'BP of Table 7.4.1-1, Note 1."""
    effective_m2 = (station_height_m - _EFFECTIVE_ENVIRONMENT_M) * (
        device_height_m - _EFFECTIVE_ENVIRONMENT_M
    )
    return 4.0 * effective_m2 * carrier_hz / _C_M_PER_S


def pathloss_db(
    d2d_m: Floats,
    d3d_m: Floats,
    carrier_hz: float,
    station_height_m: float,
    device_height_m: float,
    los: Bools,
) -> Floats:
    """Return the UMi loss of TR 38.901, Table 7.4.1-1, from horizontal and slant distances."""
    carrier_db = 20.0 * np.log10(carrier_hz / 1e9)
    break_m = breakpoint_m(carrier_hz, station_height_m, device_height_m)
    break_3d_m2 = break_m**2 + (station_height_m - device_height_m) ** 2
    near_db = 32.4 + 21.0 * np.log10(d3d_m) + carrier_db
    far_db = 32.4 + 40.0 * np.log10(d3d_m) + carrier_db - 9.5 * np.log10(break_3d_m2)
    los_db = np.where(d2d_m <= break_m, near_db, far_db)
    height_db = 0.3 * (device_height_m - 1.5)
    blocked_db = 35.3 * np.log10(d3d_m) + 22.4 + 21.3 * np.log10(carrier_hz / 1e9) - height_db
    loss_db: Floats = np.where(los, los_db, np.maximum(los_db, blocked_db))
    return loss_db
