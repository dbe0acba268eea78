"""3GPP urban micro street canyon (TR 38.901, Tables 7.4.1-1 and 7.4.2-1), 0.5 to 100 GHz, from 10 m on."""

from typing import ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Metres
from slfac_sim.network.radio.pathloss import PathLoss
from slfac_sim.network.radio.pathloss._tr38901 import (
    EFFECTIVE_ENVIRONMENT_M,
    TwoSlopes,
    rician_k_db,
    two_slopes_db,
)

_LAW = TwoSlopes(32.4, 21.0, 9.5, 22.4, 35.3, 21.3, 0.3)


@settings
class Umi(PathLoss):
    """Heights of the antennas above the street."""

    references: ClassVar[tuple[str, ...]] = ("tr38901", "gudmundson1991")

    station_height: Metres = 10.0
    device_height: Metres = 1.5

    shortest_m = 10.0

    def __post_init__(self) -> None:
        if min(self.station_height, self.device_height) <= EFFECTIVE_ENVIRONMENT_M:
            raise ValueError("station_height and device_height must be above 1 m (UMi street canyon)")

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight: 1 up to 18 m, then falling."""
        near = 18.0 / np.maximum(distance_m, 18.0)
        return near + np.exp(-distance_m / 36.0) * (1.0 - near)

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the median loss; distances below 10 m count as 10 m."""
        d2d_m = np.maximum(distance_m, self.shortest_m)
        d3d_m = np.hypot(d2d_m, self.station_height - self.device_height)
        return two_slopes_db(_LAW, d2d_m, d3d_m, carrier_hz, self.station_height, self.device_height, los)

    def shadowing_sigma_db(self, los: Bools) -> Floats:
        """Return 4 dB with and 7.82 dB without line of sight (Table 7.4.1-1)."""
        return np.where(los, 4.0, 7.82)

    def decorrelation_m(self, los: Bools) -> Floats:
        """Return 10 m with and 13 m without line of sight (Table 7.5-6)."""
        return np.where(los, 10.0, 13.0)

    def rician_k_db(self, los: Bools) -> tuple[Floats, Floats]:
        """Return 9 dB and 5 dB with line of sight (Table 7.5-6), Rayleigh without."""
        return rician_k_db(los, 9.0, 5.0)
