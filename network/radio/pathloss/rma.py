"""3GPP rural macro (TR 38.901, Tables 7.4.1-1 and 7.4.2-1): a tall station over low houses, from 10 m on.

The report has it for carriers up to 30 GHz and, without line of sight, for distances up to 5 km.
"""

from typing import Annotated, ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.fields import OrNone
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Metres
from slfac_sim.network.radio.pathloss._tr38901 import C_M_PER_S, Outdoor, slant_m
from slfac_sim.network.radio.penetration import Penetration

_LIMITS_M = {
    "station_height": (10.0, 150.0),
    "device_height": (1.0, 10.0),
    "building_height": (5.0, 50.0),
    "street_width": (5.0, 50.0),
}
_BEYOND_SIGMA_DB = 6.0
_FARTHEST_CERTAIN_M = 10.0
_FADING_SIGHT_M = 1000.0


@settings
class Rma(Outdoor):
    """Losses of two slopes in line of sight, the first with a term linear in distance, and of one without.

    The shadowing in line of sight is stronger beyond the breakpoint d_BP = 2 pi h_BS h_UT f / c.
    """

    references: ClassVar[tuple[str, ...]] = ("tr38901", "gudmundson1991")
    sigma_db: ClassVar[tuple[float, float]] = (4.0, 8.0)
    decorrelated_m: ClassVar[tuple[float, float]] = (37.0, 120.0)
    k_db: ClassVar[tuple[float, float]] = (7.0, 4.0)
    deepest_m: ClassVar[float] = 10.0
    indoor_sigma_db: ClassVar[float] = 8.0
    indoor_decorrelated_m: ClassVar[float] = 120.0

    station_height: Metres = 35.0
    """Height of the stations' antennas above the ground; the higher, the farther the breakpoint beyond which
    the loss in line of sight is 40 dB a decade, and the less the loss without. The default is that of TR
    38.901.
    """
    device_height: Metres = 1.5
    """Height of the devices' antennas above the ground; the higher, the farther the breakpoint and the less
    the loss without line of sight. The default is that of TR 38.901.
    """
    building_height: Metres = 5.0
    """Average height of the buildings around: the higher, the more loss. The default is that of TR 38.901."""
    street_width: Metres = 20.0
    """Average width of the streets: the wider, the less loss without line of sight. The default is that of TR
    38.901.
    """
    penetration: Annotated[Penetration | None, OrNone()] = None

    shortest_m = 10.0

    def __post_init__(self) -> None:
        for name, (least_m, most_m) in _LIMITS_M.items():
            if not least_m <= (found_m := getattr(self, name)) <= most_m:
                raise ValueError(
                    f"{name} must lie between {least_m:g} m and {most_m:g} m (RMa; got {found_m:g} m)"
                )
        if self.penetration is not None and self.penetration.walls != "low":
            raise ValueError("penetration.walls must be low: TR 38.901 has no others for RMa")

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight: 1 up to 10 m, then falling to 1/e within a kilometre."""
        return np.exp(-np.maximum(distance_m - _FARTHEST_CERTAIN_M, 0.0) / _FADING_SIGHT_M)

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the median loss, never less when blocked; distances below 10 m count as 10 m."""
        d3d_m = slant_m(distance_m, self.station_height - self.device_height, self.shortest_m)
        break_m = self._breakpoint_m(carrier_hz)
        far_db = self._near_db(np.array(break_m), carrier_hz) + 40.0 * np.log10(d3d_m / break_m)
        los_db = np.where(self._is_far(distance_m, carrier_hz), far_db, self._near_db(d3d_m, carrier_hz))
        return np.where(los, los_db, np.maximum(los_db, self._blocked_db(d3d_m, carrier_hz)))

    def shadowing_sigma_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the deviation of the scenario: in line of sight 4 dB, and 6 dB beyond the breakpoint."""
        within, blocked = self.sigma_db
        return np.where(
            los, np.where(self._is_far(distance_m, carrier_hz), _BEYOND_SIGMA_DB, within), blocked
        )

    def _breakpoint_m(self, carrier_hz: float) -> float:
        return 2.0 * np.pi * self.station_height * self.device_height * carrier_hz / C_M_PER_S

    def _is_far(self, distance_m: Floats, carrier_hz: float) -> Bools:
        return np.maximum(distance_m, self.shortest_m) > self._breakpoint_m(carrier_hz)

    def _near_db(self, d3d_m: Floats, carrier_hz: float) -> Floats:
        """Return PL1."""
        rough_m = self.building_height**1.72
        spread_db = 20.0 * np.log10(40.0 * np.pi * d3d_m * carrier_hz / 1e9 / 3.0)
        decade_db, taken_off_db = min(0.03 * rough_m, 10.0), min(0.044 * rough_m, 14.77)
        straight_db = 0.002 * np.log10(self.building_height) * d3d_m
        return np.asarray(spread_db + decade_db * np.log10(d3d_m) - taken_off_db + straight_db)

    def _blocked_db(self, d3d_m: Floats, carrier_hz: float) -> Floats:
        """Return PL' without line of sight."""
        h_bs, h, w = self.station_height, self.building_height, self.street_width
        around_db = 161.04 - 7.1 * np.log10(w) + 7.5 * np.log10(h)
        station_db = (24.37 - 3.7 * (h / h_bs) ** 2) * np.log10(h_bs)
        distance_db = (43.42 - 3.1 * np.log10(h_bs)) * (np.log10(d3d_m) - 3.0)
        device_db = 3.2 * np.log10(11.75 * self.device_height) ** 2 - 4.97
        carrier_db = 20.0 * np.log10(carrier_hz / 1e9)
        return np.asarray(around_db - station_db + distance_db + carrier_db - device_db)
