"""3GPP indoor factory (TR 38.901, Tables 7.2-4, 7.4.1-1 and 7.4.2-1): one slope, from antennas 1 m apart on.

Halls are told apart by their clutter, machines and shelves, sparse or dense, and by the stations' antennas,
below its tops or above. Above, a line of sight is lost the later the less of the way leads through clutter.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Metres, Part
from slfac_sim.network.radio.pathloss._tr38901 import Tr38901, one_metre_apart_m, slant_m


@dataclass(frozen=True)
class _Hall:
    """Losses without line of sight, in dB at 1 m and 1 GHz and what a decade of distance adds; defaults."""

    blocked_db: tuple[tuple[float, float], ...]
    blocked_sigma_db: float
    station_height_m: float
    density: float
    size_m: float
    height_m: float

    @property
    def is_high(self) -> bool:
        """Whether the stations' antennas are above the clutter."""
        return self.station_height_m > self.height_m


_SPARSE_LOW = (33.0, 25.5)
_HALLS = {  # Tables 7.4.1-1 and 7.2-4; density and height of the clutter are the values of Table 7.8-7
    "sl": _Hall((_SPARSE_LOW,), 5.7, 1.5, 0.2, 10.0, 2.0),
    "dl": _Hall(((18.6, 35.7), _SPARSE_LOW), 7.2, 1.5, 0.6, 2.0, 6.0),
    "sh": _Hall(((32.4, 23.0),), 5.9, 8.0, 0.2, 10.0, 2.0),
    "dh": _Hall(((33.63, 21.9),), 4.0, 8.0, 0.6, 2.0, 6.0),
}
_SEEN_SIGMA_DB = 4.3


@settings
class Inf(Tr38901):
    """Losses of one slope, less in line of sight than without, in a hall with machines."""

    references: ClassVar[tuple[str, ...]] = ("tr38901", "gudmundson1991")
    decorrelated_m: ClassVar[tuple[float, float]] = (10.0, 10.0)
    k_db: ClassVar[tuple[float, float]] = (7.0, 8.0)

    hall: Literal["sl", "dl", "sh", "dh"] = "dh"
    """Which of the report's halls: clutter that is sparse (`s`) or dense (`d`), and stations that are
    low, among it (`l`), or high, above it (`h`).
    """
    station_height: Metres | None = None
    """Height of the stations' antennas above the floor. The higher a high station, the farther a line of
    sight reaches; low ones count for distances alone. Null: 1.5 m low, 8 m high.
    """
    device_height: Metres = 1.5
    """Height of the devices' antennas above the floor. Below high stations a line of sight reaches the
    farther the nearer they are to the top of the clutter. The default is that of TR 38.901.
    """
    clutter_density: Part | None = None
    """Part of the floor that is covered by clutter: the more, the sooner a line of sight is lost. Null: 0.2
    where clutter is sparse, 0.6 where it is dense.
    """
    clutter_size: Metres | None = None
    """Typical width of a piece of clutter: at equal density wide pieces leave more sight than narrow ones.
    Null: 10 m where clutter is sparse, 2 m where it is dense.
    """
    clutter_height: Metres | None = None
    """Height of the clutter, which matters below high stations alone: the lower, the farther a line of sight
    reaches. Null: 2 m where clutter is sparse, 6 m where it is dense.
    """

    def __post_init__(self) -> None:
        if not 0.0 < self._density < 1.0:
            raise ValueError(f"clutter_density must lie between 0 and 1 (InF; got {self._density:g})")
        if not self._size_m > 0.0:
            raise ValueError(f"clutter_size must be positive (InF; got {self._size_m:g} m)")
        if self._hall.is_high and not self.device_height < self._clutter_m < self._station_m:
            raise ValueError(
                f"clutter_height must lie between device_height, {self.device_height:g} m, and "
                f"station_height, {self._station_m:g} m (InF, hall {self.hall}; got {self._clutter_m:g} m)"
            )

    @property
    def shortest_m(self) -> float:
        """The horizontal distance at which the antennas are 1 m apart; 0 if they always are."""
        return one_metre_apart_m(self._rise_m)

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight, exp(-d / k)."""
        reach_m = -self._size_m / np.log1p(-self._density)
        if self._hall.is_high:
            reach_m *= self._rise_m / (self._clutter_m - self.device_height)
        return np.asarray(np.exp(-distance_m / reach_m))

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the median loss, never less when blocked; antennas nearer than 1 m count as 1 m apart."""
        decades = np.log10(slant_m(distance_m, self._rise_m, self.shortest_m))
        carrier_decades = np.log10(carrier_hz / 1e9)
        seen_db = 31.84 + 21.5 * decades + 19.0 * carrier_decades
        blocked_db = seen_db
        for at_1_m_db, decade_db in self._hall.blocked_db:
            blocked_db = np.maximum(blocked_db, at_1_m_db + decade_db * decades + 20.0 * carrier_decades)
        loss_db: Floats = np.where(los, seen_db, blocked_db)
        return loss_db

    def shadowing_sigma_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the deviation of the hall, the same at any distance."""
        return np.where(los, _SEEN_SIGMA_DB, self._hall.blocked_sigma_db)

    @property
    def _hall(self) -> _Hall:
        return _HALLS[self.hall]

    @property
    def _rise_m(self) -> float:
        return self._station_m - self.device_height

    @property
    def _station_m(self) -> float:
        return self._hall.station_height_m if self.station_height is None else self.station_height

    @property
    def _density(self) -> float:
        return self._hall.density if self.clutter_density is None else self.clutter_density

    @property
    def _size_m(self) -> float:
        return self._hall.size_m if self.clutter_size is None else self.clutter_size

    @property
    def _clutter_m(self) -> float:
        return self._hall.height_m if self.clutter_height is None else self.clutter_height
