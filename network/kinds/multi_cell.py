"""Several wireless cells around one edge server: every device is served by the station that it hears best.

Every station has its own air, and disturbs the others as `interference` says. The server is wired to all of
them, at no cost.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import cos, hypot, isfinite, pi, sin
from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import BitsPerSecond, Coordinate, Count, Metres
from slfac_sim.network.air import Air
from slfac_sim.network.contract import Hosts, Station
from slfac_sim.network.kinds._cellular import Cellular
from slfac_sim.network.radio.cells import Interference
from slfac_sim.network.radio.handover import HandoverRule
from slfac_sim.network.varying.changing import motions_of


@settings
class MultiCell(Cellular):
    """Stations stand on a hexagonal grid, from its middle outwards; all else is as in a `cell`.

    Devices are placed around the stations in turn. A multicast is sent by every station that serves one of
    its receivers.
    """

    references: ClassVar[tuple[str, ...]] = ("yates1995",)

    stations: Count = 7
    """Base stations of the grid, which is filled from its middle: one ring makes 7 of them, two rings 19."""
    spacing: Metres = 300.0
    """Distance between neighbouring stations of the grid: the nearer, the stronger is what they disturb."""
    station_positions: tuple[tuple[Coordinate, Coordinate], ...] | None = None
    """[x, y] of each station, in place of `stations` and `spacing`; null: they stand on the grid."""
    interference: Interference = "activity"
    """Which other cells disturb a transfer: those with one under way in the same direction, so that rates
    change as transfers come and go (`activity`); each for the part of the time that it needs to carry
    `offered` (`load`); all of them, always (`full`); or `none`.
    """
    offered: BitsPerSecond | None = None
    """Traffic of each cell in each direction, from which `interference: load` follows; null for any other."""

    handover: HandoverRule = HandoverRule()
    """When a device that moves goes to another station."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self._places()) <= 127:
            raise ValueError(f"stations must be 1 to 127 (got {len(self._places())})")
        if not all(isfinite(x_m) and isfinite(y_m) for x_m, y_m in self._places()):
            raise ValueError(f"station_positions must be finite (got {self.station_positions})")
        if self.duplex == "half":
            raise ValueError("duplex must be tdd or fdd: the directions of several cells are kept apart")
        if self.interference == "load" and self.offered is None:
            raise ValueError("interference: load needs offered, what each cell carries, such as 1 Mbit/s")
        if self.interference != "load" and self.offered is not None:
            raise ValueError(f"offered goes with interference: load (got {self.interference})")

    @property
    def nodes(self) -> tuple[str, ...]:
        """The stations: `s0`, `s1`, ..."""
        return tuple(f"s{i}" for i in range(len(self._places())))

    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the air of all stations."""
        places = zip(self.nodes, self._places(), strict=True)
        stations = tuple(Station(name, x_m, y_m) for name, (x_m, y_m) in places)
        motions = motions_of(self.change or {}, hosts.devices, seed, self._reach())
        own = self.interference, self.offered or 0.0, motions, self.handover
        return self._air(stations, hosts, seed, *own)

    def _reach(self) -> float:
        """Return the radius around [0, 0] within which all cells lie."""
        return self.radius + max(hypot(x_m, y_m) for x_m, y_m in self._places())

    def _places(self) -> Sequence[tuple[float, float]]:
        if self.station_positions is not None:
            return self.station_positions
        return hexagonal(self.stations, self.spacing)


def hexagonal(count: int, spacing_m: float) -> list[tuple[float, float]]:
    """Return `count` places [x, y] of a hexagonal grid, ring by ring around (0, 0)."""
    places = [(0.0, 0.0)]
    ring = 0
    while len(places) < count:
        ring += 1
        corners = [(ring * cos(i * pi / 3), ring * sin(i * pi / 3)) for i in range(7)]
        for (x, y), (to_x, to_y) in pairwise(corners):
            places += [(x + (to_x - x) * i / ring, y + (to_y - y) * i / ring) for i in range(ring)]
    return [(spacing_m * x, spacing_m * y) for x, y in places[:count]]
