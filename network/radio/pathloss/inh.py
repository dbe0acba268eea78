"""3GPP indoor office (TR 38.901, Tables 7.4.1-1 and 7.4.2-1): one slope, and walls or an open floor."""

from typing import ClassVar, Literal

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Metres
from slfac_sim.network.radio.pathloss._tr38901 import Tr38901, one_metre_apart_m, slant_m


@settings
class Inh(Tr38901):
    """Losses of one slope, less in line of sight than without; the report's own heights are the defaults."""

    references: ClassVar[tuple[str, ...]] = ("tr38901", "gudmundson1991")
    sigma_db: ClassVar[tuple[float, float]] = (3.0, 8.03)
    decorrelated_m: ClassVar[tuple[float, float]] = (10.0, 6.0)
    k_db: ClassVar[tuple[float, float]] = (7.0, 4.0)

    office: Literal["mixed", "open"] = "mixed"
    """How soon a line of sight is lost with distance: within metres among walls (`mixed`), or within tens of
    metres on an `open` floor.
    """
    station_height: Metres = 3.0
    """Height of the stations' antennas above the floor, which counts for distances alone."""
    device_height: Metres = 1.0
    """Height of the devices' antennas above the floor, which counts for distances alone."""

    @property
    def shortest_m(self) -> float:
        """The horizontal distance at which the antennas are 1 m apart; 0 if they always are."""
        return one_metre_apart_m(self.station_height - self.device_height)

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight, in three pieces with a step before the third."""
        first_m, reach_m, second_m, factor, far_m = (
            (1.2, 4.7, 6.5, 0.32, 32.6) if self.office == "mixed" else (5.0, 70.8, 49.0, 0.54, 211.7)
        )
        near = np.exp(-np.maximum(distance_m - first_m, 0.0) / reach_m)
        far = factor * np.exp(-(distance_m - second_m) / far_m)
        is_near = distance_m < second_m if self.office == "mixed" else distance_m <= second_m
        return np.where(is_near, near, far)

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the median loss; antennas nearer than 1 m count as 1 m apart."""
        rise_m = self.station_height - self.device_height
        decades = np.log10(slant_m(distance_m, rise_m, self.shortest_m))
        carrier_decades = np.log10(carrier_hz / 1e9)
        seen_db = 32.4 + 17.3 * decades + 20.0 * carrier_decades
        blocked_db = 38.3 * decades + 17.30 + 24.9 * carrier_decades
        loss_db: Floats = np.where(los, seen_db, np.maximum(seen_db, blocked_db))
        return loss_db
