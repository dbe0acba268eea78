"""What the scenarios of 3GPP TR 38.901 have in common: two slopes, a breakpoint, tables by line of sight."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.fields import OrNone
from slfac_sim.network.radio.pathloss import PathLoss
from slfac_sim.network.radio.penetration import Indoors, Penetration

C_M_PER_S = 3.0e8
"""Notes 1 and 5 of Table 7.4.1-1 round the speed of light."""
EFFECTIVE_ENVIRONMENT_M = 1.0


@dataclass(frozen=True)
class TwoSlopes:
    """A row pair of Table 7.4.1-1, in dB: losses at 1 m and 1 GHz, and what a decade adds to them.

    `blocked_height_db` is taken off for each metre of the device's antenna above 1.5 m.
    """

    seen_db: float
    seen_decade_db: float
    breakpoint_db: float
    blocked_db: float
    blocked_decade_db: float
    blocked_carrier_db: float
    blocked_height_db: float


def breakpoint_m(carrier_hz: float, station_height_m: float, device_height_m: float) -> float:
    """Return the breakpoint distance d'BP of Table 7.4.1-1, Note 1."""
    effective_m2 = (station_height_m - EFFECTIVE_ENVIRONMENT_M) * (device_height_m - EFFECTIVE_ENVIRONMENT_M)
    return 4.0 * effective_m2 * carrier_hz / C_M_PER_S


def slant_m(distance_m: Floats, rise_m: float, shortest_m: float) -> Floats:
    """Return the distance between antennas, d3D; what is nearer than `shortest_m` on the ground is as far."""
    return np.hypot(np.maximum(distance_m, shortest_m), rise_m)


def one_metre_apart_m(rise_m: float) -> float:
    """Return the horizontal distance at which antennas are 1 m apart; 0 if they always are."""
    return float(np.sqrt(max(1.0 - rise_m**2, 0.0)))


class Tr38901(PathLoss):
    """What the scenarios' tables say of shadowing and fading, with and without line of sight."""

    sigma_db: ClassVar[tuple[float, float]]
    """Table 7.4.1-1."""
    decorrelated_m: ClassVar[tuple[float, float]]
    """Table 7.5-6."""
    k_db: ClassVar[tuple[float, float]]
    """Mean and deviation of K with a line of sight (Table 7.5-6)."""

    def shadowing_sigma_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the deviation of the scenario, the same at any distance."""
        return np.where(los, *self.sigma_db)

    def decorrelation_m(self, los: Bools) -> Floats:
        """Return the distance of the scenario."""
        return np.where(los, *self.decorrelated_m)

    def rician_k_db(self, los: Bools) -> tuple[Floats, Floats]:
        """Return K with a line of sight; without one, that of Rayleigh fading."""
        mean_db, sigma_db = self.k_db
        return np.where(los, mean_db, -np.inf), np.where(los, sigma_db, 0.0)


class Outdoor(Tr38901):
    """A scenario with stations outdoors, and devices of which some may be in buildings."""

    deepest_m: ClassVar[float] = 25.0
    """How far behind its wall a device may be (7.4.3.1)."""
    indoor_sigma_db: ClassVar[float] = 7.0
    """Table 7.5-6, O2I; and the next."""
    indoor_decorrelated_m: ClassVar[float] = 7.0

    penetration: Annotated[Penetration | None, OrNone()]
    """Devices in buildings, and the loss of their walls; `none`: all are outdoors."""

    @property
    def indoors(self) -> Indoors | None:
        """Return the indoor devices of the scenario, if `penetration` says that there are any."""
        if self.penetration is None:
            return None
        return Indoors(self.penetration, self.deepest_m, self.indoor_sigma_db, self.indoor_decorrelated_m)


class Street(Outdoor):
    """A scenario of two slopes between antennas whose heights are above the street, from 10 m on."""

    law: ClassVar[TwoSlopes]
    station_height: float
    """Height of the stations' antennas above the street; the higher, the farther the breakpoint beyond which
    the loss in line of sight is 40 dB a decade. The default is that of TR 38.901.
    """
    device_height: float
    """Height of the devices' antennas above the street; the higher, the farther the breakpoint and the less
    the loss without line of sight. The default is that of TR 38.901.
    """

    shortest_m = 10.0

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the median loss, never less when blocked; distances below 10 m count as 10 m."""
        law, rise_m = self.law, self.station_height - self.device_height
        d2d_m = np.maximum(distance_m, self.shortest_m)
        d3d_m = np.hypot(d2d_m, rise_m)
        carrier_db = 20.0 * np.log10(carrier_hz / 1e9)
        break_m = breakpoint_m(carrier_hz, self.station_height, self.device_height)
        break_3d_m2 = break_m**2 + rise_m**2
        near_db = law.seen_db + law.seen_decade_db * np.log10(d3d_m) + carrier_db
        far_db = law.seen_db + 40.0 * np.log10(d3d_m) + carrier_db - law.breakpoint_db * np.log10(break_3d_m2)
        los_db = np.where(d2d_m <= break_m, near_db, far_db)
        blocked_db = (
            law.blocked_decade_db * np.log10(d3d_m)
            + law.blocked_db
            + law.blocked_carrier_db * np.log10(carrier_hz / 1e9)
            - law.blocked_height_db * (self.device_height - 1.5)
        )
        loss_db: Floats = np.where(los, los_db, np.maximum(los_db, blocked_db))
        return loss_db
