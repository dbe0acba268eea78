"""3GPP urban micro street canyon (TR 38.901, Tables 7.4.1-1 and 7.4.2-1), 0.5 to 100 GHz, from 10 m on."""

from typing import Annotated, ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.fields import OrNone
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Metres
from slfac_sim.network.radio.pathloss._tr38901 import EFFECTIVE_ENVIRONMENT_M, Street, TwoSlopes
from slfac_sim.network.radio.penetration import Penetration


@settings
class Umi(Street):
    """Losses of two slopes in line of sight, of one without, between buildings higher than the station."""

    references: ClassVar[tuple[str, ...]] = ("tr38901", "gudmundson1991")
    law: ClassVar[TwoSlopes] = TwoSlopes(32.4, 21.0, 9.5, 22.4, 35.3, 21.3, 0.3)
    sigma_db: ClassVar[tuple[float, float]] = (4.0, 7.82)
    decorrelated_m: ClassVar[tuple[float, float]] = (10.0, 13.0)
    k_db: ClassVar[tuple[float, float]] = (9.0, 5.0)

    station_height: Metres = 10.0
    device_height: Metres = 1.5
    penetration: Annotated[Penetration | None, OrNone()] = None

    def __post_init__(self) -> None:
        if min(self.station_height, self.device_height) <= EFFECTIVE_ENVIRONMENT_M:
            raise ValueError("station_height and device_height must be above 1 m (UMi street canyon)")

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight: 1 up to 18 m, then falling."""
        near = 18.0 / np.maximum(distance_m, 18.0)
        return near + np.exp(-distance_m / 36.0) * (1.0 - near)
