"""The ways of the devices that moved in a run, with the stations that served them; it draws nothing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from slfac_sim.analysis.air import Offered, offered
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.analysis.structure import Row
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run


@dataclass(frozen=True)
class Track:
    """The way of one device: arrays [instants], from the beginning of the run to its end.

    The instants are those at which the run looked where it was, and those of its `handovers`, between two of
    the others. `station` is the one that serves it from each on. Rates are those alone on the air, in the
    part of the time that their direction has.
    """

    device: str
    at_s: Floats
    x_m: Floats
    y_m: Floats
    up_bps: Floats
    down_bps: Floats
    station: Sequence[str]
    handovers: Sequence[Row]

    def stretches(self) -> Iterator[tuple[slice, str]]:
        """Yield the instants of each stretch with one station, ends included, and the station."""
        begin = 0
        for place in range(1, len(self.station)):
            if self.station[place] != self.station[begin]:
                yield slice(begin, place + 1), self.station[begin]
                begin = place
        yield slice(begin, len(self.station)), self.station[begin]

    def place_m(self, at_s: float) -> tuple[float, float]:
        """Return where it was: on a straight line between two instants."""
        return float(np.interp(at_s, self.at_s, self.x_m)), float(np.interp(at_s, self.at_s, self.y_m))


@dataclass(frozen=True)
class Tracks(Offered):
    """What the network of a run offers, and the ways of its devices that move."""

    tracks: Sequence[Track] = ()

    @property
    def by_air(self) -> str:
        """Return in words whose rates those of the `tracks` are: of wires they know nothing."""
        return replace(self, wires=(), tracks=()).alone


def tracks_of(run: Run) -> Tracks | None:
    """Return the ways of the devices of `run`; None where nobody moved, or it is too old to tell."""
    tables = rows_if_there(run, ("trajectories", "handovers"))
    if not tables["trajectories"]:
        return None
    return tracked(offered(run), tables["trajectories"], tables["handovers"])


def tracked(air: Offered, trajectories: Sequence[Row], handovers: Sequence[Row]) -> Tracks:
    """Return the ways of devices from the rows of both tables, in device order."""
    part_of = {row["access"]: row for row in air.air}
    access = {link["device"]: part_of[link["access"]] for link in air.links}
    seen: dict[str, list[Row]] = defaultdict(list)
    left: dict[str, list[Row]] = defaultdict(list)
    for row in trajectories:
        seen[row["device"]].append(row)
    for row in handovers:
        left[row["device"]].append(row)
    tracks = [_track(device, seen[device], left[device], access[device]) for device in sorted(seen)]
    return Tracks(**vars(air), tracks=tracks)


def _track(device: str, seen: Sequence[Row], handovers: Sequence[Row], air: Row) -> Track:
    looked_s = [row["at_s"] for row in seen]
    within = [row for row in handovers if looked_s[0] <= row["at_s"] <= looked_s[-1]]
    serves = {row["at_s"]: row["target"] for row in within} | {row["at_s"]: row["station"] for row in seen}
    at_s = np.array(sorted(serves))
    parts = {"x_m": 1.0, "y_m": 1.0, "up_rate_bps": air["up_share"], "down_rate_bps": air["down_share"]}
    x_m, y_m, up_bps, down_bps = (
        part * np.interp(at_s, looked_s, [row[name] for row in seen]) for name, part in parts.items()
    )
    stations = [serves[t_s] for t_s in at_s.tolist()]
    return Track(device, at_s, x_m, y_m, up_bps, down_bps, stations, handovers)
