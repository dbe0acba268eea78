"""What the walls of a building, and the way behind them, cost a device within (3GPP TR 38.901, 7.4.3.1).

The median loss of the path loss model goes on top, for the whole distance, with a line of sight or without
one up to the wall. The report's wall is 30 % of glass and 70 % of concrete or, with a high loss, 70 % of
coated glass and 30 % of concrete. Nothing is drawn here.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Part

Walls = Literal["low", "high"]

_IN_DB_PER_M = 0.5
_SIGMA_DB = {"low": 4.4, "high": 6.5}


def wall_db(walls: Walls, carrier_hz: float) -> float:
    """Return the median loss through an outer wall, PL_tw of Table 7.4.3-2."""
    carrier_ghz = carrier_hz / 1e9
    glass_db, glass_part = {"low": (2.0 + 0.2 * carrier_ghz, 0.3), "high": (23.0 + 0.3 * carrier_ghz, 0.7)}[
        walls
    ]
    concrete_db = 5.0 + 4.0 * carrier_ghz
    through = glass_part * 10.0 ** (-glass_db / 10.0) + (1.0 - glass_part) * 10.0 ** (-concrete_db / 10.0)
    return float(5.0 - 10.0 * np.log10(through))


@settings
class Penetration:
    """Some devices, drawn, are in buildings: the wall, the way behind it and a spread of walls cost dB.

    The shadowing of their links is that of the path loss model's indoor column, and their fading Rayleigh's.
    """

    walls: Walls = "low"
    """What walls are made of: glass and concrete (`low`), or concrete and coated glass, which keeps heat in
    and radio waves out (`high`). They cost more the higher the carrier.
    """
    indoor: Part = 0.8
    """Probability that a device is in a building. Where one has no coverage, it is drawn anew with its place.
    The default is that of the evaluations of TR 38.901 in towns.
    """

    def __post_init__(self) -> None:
        if not 0.0 <= self.indoor <= 1.0:
            raise ValueError(f"indoor must lie in [0, 1] (got {self.indoor:g})")


@dataclass(frozen=True)
class Inside:
    """Which devices are indoors, how far behind the wall, and what both cost on all links [devices]."""

    indoor: Bools
    depth_m: Floats
    loss_db: Floats


@dataclass(frozen=True)
class Indoors:
    """The indoor devices of a path loss model: the deepest, and the shadowing of their links."""

    penetration: Penetration
    deepest_m: float
    sigma_db: float
    decorrelation_m: float

    def inside(self, draws: Floats, carrier_hz: float) -> Inside:
        """Return what `draws` [4, devices] come to.

        They are uniforms for being indoors and for two depths, of which the lesser counts, and normals for
        the walls.
        """
        indoor = draws[0] < self.penetration.indoor
        depth_m = np.where(indoor, self.deepest_m * np.minimum(draws[1], draws[2]), 0.0)
        walls = self.penetration.walls
        behind_db = wall_db(walls, carrier_hz) + _IN_DB_PER_M * depth_m + _SIGMA_DB[walls] * draws[3]
        return Inside(indoor, depth_m, np.where(indoor, behind_db, 0.0))


def outside(devices: int) -> Inside:
    """Return devices of which none is indoors."""
    return Inside(np.zeros(devices, bool), np.zeros(devices), np.zeros(devices))
