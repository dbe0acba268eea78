"""Cases of handover: devices on ways among stations, and the rule by which they are handed over."""

from dataclasses import dataclass
from math import cos, dist, pi, sin, sqrt
from random import Random
from typing import Any

SPACING_M = 80.0
_RADIUS_M = 100.0


@dataclass(frozen=True)
class HandoverCase:
    """`devices` that go for `until_s` from one place to the next in a circle around four stations.

    Each leg has a speed from `speed_mps`, drawn as its end is, by `seed`. The loss grows by `exponent` x 10
    dB a decade of distance; nothing fades. Measurements, hysteresis, time to trigger and filter are those
    of event A3.
    """

    name: str
    trigger_ms: int = 160
    hysteresis_db: float = 3.0
    filter_k: int = 4
    interval_ms: int = 40
    devices: int = 5
    until_s: float = 100.0
    speed_mps: tuple[float, float] = (15.0, 25.0)
    exponent: float = 3.0
    seed: int = 1

    program = "handover"
    replications = 1

    @property
    def stations(self) -> tuple[tuple[float, float], ...]:
        """Where they stand, in metres: one in the middle, three around it."""
        around = [(SPACING_M * cos(i * pi / 1.5), SPACING_M * sin(i * pi / 1.5)) for i in range(3)]
        return ((0.0, 0.0), *((round(x, 3), round(y, 3)) for x, y in around))

    @property
    def ways(self) -> tuple[tuple[tuple[float, float, float], ...], ...]:
        """Time and place of the waypoints of each device, the last one after `until_s`."""
        return tuple(self._way(Random(f"{self.seed}/{device}")) for device in range(self.devices))

    def _way(self, draw: Random) -> tuple[tuple[float, float, float], ...]:
        places = [_place(draw)]
        times_s = [0.0]
        while times_s[-1] <= self.until_s:
            places.append(_place(draw))
            speed = draw.uniform(*self.speed_mps)
            times_s.append(round(times_s[-1] + dist(*places[-2:]) / speed, 3))
        return tuple((t_s, x, y) for t_s, (x, y) in zip(times_s, places, strict=True))

    def arguments(self, run: int) -> list[str]:
        """Return the command line of programs/handover.cc; all replications would be the same."""
        points = (f"{i}:{t!r}:{x!r}:{y!r}" for i, way in enumerate(self.ways) for t, x, y in way)
        return [
            "--stations=" + ",".join(f"{x!r}:{y!r}" for x, y in self.stations),
            "--ways=" + ",".join(points),
            f"--until={self.until_s:g}",
            f"--exponent={self.exponent:g}",
            f"--hysteresis={self.hysteresis_db:g}",
            f"--trigger={self.trigger_ms}",
            f"--interval={self.interval_ms}",
            f"--filter={self.filter_k}",
        ]

    def cells(self, file: str) -> dict[str, Any]:
        """Return the settings of a `multi_cell` whose devices go as `file`, the CSV of `csv`, says."""
        return {
            "station_positions": self.stations,
            "pathloss": {"kind": "log_distance", "exponent": self.exponent},
            "shadowing": "none",
            "outage": "allow",
            "handover": {
                "hysteresis": self.hysteresis_db,
                "time_to_trigger": 1e-3 * self.trigger_ms,
                "filter": self.filter_k,
                "interval": 1e-3 * self.interval_ms,
            },
            "change": {"ways": {"kind": "positions", "file": file}},
        }

    @property
    def csv(self) -> str:
        """The ways as `positions` reads them."""
        rows = (f"{t!r},d{i:03},{x!r},{y!r}\n" for i, way in enumerate(self.ways) for t, x, y in way)
        return "time_s,device,x_m,y_m\n" + "".join(rows)


def _place(draw: Random) -> tuple[float, float]:
    """Return a place that is uniform in a circle around [0, 0]."""
    radius_m, angle = _RADIUS_M * sqrt(draw.random()), draw.uniform(0.0, 2.0 * pi)
    return round(radius_m * cos(angle), 2), round(radius_m * sin(angle), 2)


HANDOVER = {
    "handover": (
        HandoverCase("160ms"),
        HandoverCase("256ms", trigger_ms=256),
        HandoverCase("160ms-1dB-k8", hysteresis_db=1.0, filter_k=8),
        HandoverCase("640ms-2dB-other-ways", trigger_ms=640, hysteresis_db=2.0, seed=2),
    )
}
