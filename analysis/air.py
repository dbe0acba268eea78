"""The air of a run: what it offers to each device, and when each direction of it was busy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.analysis.rows import OFFERED, rows_if_there
from slfac_sim.analysis.structure import Row, direction
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

DIRECTIONS = ("up", "down")
TOO_OLD = "This run was recorded by a version that did not write down what the air offered."


@dataclass(frozen=True)
class Offered:
    """The tables of what the network of one run offers, or that of a scenario before its run."""

    label: str
    air: Sequence[Row]
    stations: Sequence[Row]
    links: Sequence[Row]
    wires: Sequence[Row] = ()
    routes: Sequence[Row] = ()

    def column(self, name: str) -> Floats:
        """Return the column `name` of the links [devices]; NaN where it is not known."""
        return np.array([np.nan if row[name] is None else row[name] for row in self.links], np.float64)

    def rate_bps(self, way: str, which: str = "rate") -> Floats:
        """Return the rates (or the `best`) of the links [devices], in the part of the time that `way` has."""
        parts = {row["access"]: row[f"{way}_share"] for row in self.air}
        part = np.array([parts.get(link["access"], 1.0) for link in self.links], np.float64)
        return part * self.column(f"{way}_{which}_bps")

    @property
    def alone(self) -> str:
        """Return in words whose rates `rate_bps` gives: wires bound what they carry."""
        where = "on the air and its wires" if self.wires else "on the air"
        shared = any(row[f"{way}_share"] < 1.0 for row in self.air for way in DIRECTIONS)
        return f"alone {where}" + (", in its way's part of the time" if shared else "")

    def drawn_rates_bps(self) -> list[dict[str, float]]:
        """Return the rates and the `best` of each link [devices], up and down, as `rate_bps` gives them."""
        kinds = [(way, which) for way in DIRECTIONS for which in ("rate", "best")]
        columns = {f"{way}_{which}_bps": self.rate_bps(way, which).tolist() for way, which in kinds}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def within(self, access: str) -> "Offered":
        """Return what one access network offers, wires left aside."""
        return Offered(
            self.label,
            air=[row for row in self.air if row["access"] == access],
            stations=[row for row in self.stations if not access or row["name"].split("/")[0] == access],
            links=[row for row in self.links if row["access"] == access],
        )


@dataclass(frozen=True)
class Busy:
    """The stretches of time in which a direction carried something, apart from each other and in order.

    `airtime_s` is what was carried in each, as time on the whole medium.
    """

    from_s: Floats
    to_s: Floats
    airtime_s: Floats

    @property
    def share(self) -> float:
        """The largest part of the medium's time that the direction had over a whole stretch; 1 for none.

        In a direction that is never without a rate while something waits, it is the part that it has of the
        medium. Above 1 the direction is not one medium (each device has a link of its own).
        """
        length_s = self.to_s - self.from_s
        part = self.airtime_s[length_s > 0.0] / length_s[length_s > 0.0]
        return float(part.max()) if part.size else 1.0

    def within_s(self, edges_s: Floats) -> Floats:
        """Return how many seconds of each bin between `edges_s` were busy."""
        ends = np.column_stack([self.from_s, self.to_s]).ravel()
        busy = np.concatenate([[0.0], np.cumsum(self.to_s - self.from_s)])
        so_far = np.column_stack([busy[:-1], busy[1:]]).ravel()
        if not ends.size:
            return np.zeros(len(edges_s) - 1)
        return np.diff(np.interp(edges_s, ends, so_far))


def ways_of(transfers: Mapping[str, Any]) -> NDArray[np.str_]:
    """Return the direction of each of `transfers`, which are given by columns."""
    ends = zip(transfers["src"], transfers["dst"], strict=True)
    return np.array([direction({"src": src, "dst": dst}) for src, dst in ends], dtype=str)


def busy(transfers: Sequence[Row], way: str) -> Busy:
    """Return when the direction `way` was busy: from first bits to last bits, latency left out."""
    rows = [(t["start_s"], t["last_bit_s"], t["airtime_s"]) for t in transfers if direction(t) == way]
    start_s, last_bit_s, airtime_s = np.array(sorted(rows)).reshape(-1, 3).T
    if not start_s.size:
        return Busy(start_s, last_bit_s, airtime_s)
    latest_s = np.maximum.accumulate(last_bit_s)
    first = np.concatenate([[0], 1 + np.flatnonzero(start_s[1:] > latest_s[:-1])])
    last = np.concatenate([first[1:] - 1, [len(start_s) - 1]])
    return Busy(start_s[first], latest_s[last], np.add.reduceat(airtime_s, first))


def offered(run: Run) -> Offered:
    """Return what the run's ledger says of its air; no rows, where the run is too old to say it."""
    return Offered(run.label, **rows_if_there(run, OFFERED))
