"""What a trace holds: columns over time, for one link or for each device; and the courses made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from slfac_sim.network.varying.courses import Course, Steps

End = Literal["repeat", "hold", "zero"]

RATES = ("up_bps", "down_bps")
COLUMNS = (*RATES, "factor", "latency_s", "loss")


@dataclass(frozen=True, eq=False)
class Series:
    """Columns of numbers [rows] by name, at `times_s` from 0 on; the last row lasts until `end_s`."""

    times_s: Sequence[float]
    end_s: float
    columns: Mapping[str, Sequence[float]]

    def course(self, column: str, end: End) -> Course | None:
        """Return a column as it goes on after the last row; None where there is no such column.

        At `zero` nothing is carried: latency and loss stay what they were.
        """
        values = self.columns.get(column)
        if values is None:
            return None
        stops = end == "zero" and column in (*RATES, "factor")
        return Steps(self.times_s, values, self.end_s, end == "repeat", 0.0 if stops else None)


@dataclass(frozen=True)
class Measured:
    """What a file holds: a series for each device that it names, or one for all (under the empty name)."""

    series: Mapping[str, Series] = field(default_factory=dict)

    def of(self, device: str) -> Series | None:
        """Return the series of `device`, None where the file has none."""
        return self.series.get("", self.series.get(device))


def last_end_s(times_s: Sequence[float]) -> float:
    """Return when the last row is over: it lasts as long as the one before it, or 1 s where there is none."""
    return 2.0 * times_s[-1] - times_s[-2] if len(times_s) > 1 else times_s[-1] + 1.0
