"""3GPP urban macro (TR 38.901, Tables 7.4.1-1 and 7.4.2-1): a station above the roofs, from 10 m on.

The effective environment is 1 m high. For devices above 13 m the report draws it for each link; that
moves the breakpoint alone, so it matters only beyond the nearest one that it can draw.
"""

from typing import Annotated, ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.fields import OrNone
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Metres
from slfac_sim.network.radio.pathloss._tr38901 import EFFECTIVE_ENVIRONMENT_M, Street, TwoSlopes
from slfac_sim.network.radio.penetration import Penetration

_HIGHEST_DEVICE_M = 22.5


@settings
class Uma(Street):
    """Losses of two slopes in line of sight, of one without.

    Devices above 13 m are more often in line of sight.
    """

    references: ClassVar[tuple[str, ...]] = ("tr38901", "gudmundson1991")
    law: ClassVar[TwoSlopes] = TwoSlopes(28.0, 22.0, 9.0, 13.54, 39.08, 20.0, 0.6)
    sigma_db: ClassVar[tuple[float, float]] = (4.0, 6.0)
    decorrelated_m: ClassVar[tuple[float, float]] = (37.0, 50.0)
    k_db: ClassVar[tuple[float, float]] = (9.0, 3.5)

    station_height: Metres = 25.0
    device_height: Metres = 1.5
    penetration: Annotated[Penetration | None, OrNone()] = None

    def __post_init__(self) -> None:
        if self.station_height <= EFFECTIVE_ENVIRONMENT_M:
            raise ValueError("station_height must be above 1 m (UMa)")
        if not EFFECTIVE_ENVIRONMENT_M < self.device_height <= _HIGHEST_DEVICE_M:
            raise ValueError(
                f"device_height must be above 1 m and at most 22.5 m (UMa; got {self.device_height:g} m)"
            )

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight: 1 up to 18 m, then falling; C' lifts high devices."""
        near = 18.0 / np.maximum(distance_m, 18.0)
        lift = (max(self.device_height - 13.0, 0.0) / 10.0) ** 1.5
        rise = 1.25 * lift * (distance_m / 100.0) ** 3 * np.exp(-distance_m / 150.0)
        street = near + np.exp(-distance_m / 63.0) * (1.0 - near)
        return np.where(distance_m <= 18.0, 1.0, np.minimum(street * (1.0 + rise), 1.0))
