"""How busy the air was over time, in each direction of each access network.

Busy is the part of the time in which at least one transfer was on the air in the direction (between its first
and its last bit). A multicast is on the air of all access networks with devices that learn with its server.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slfac_sim.analysis.air import DIRECTIONS, Busy, busy
from slfac_sim.analysis.rows import rows_if_there, rows_of
from slfac_sim.analysis.structure import EVERYBODY, Row, device_of
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

BINS = 60
AirLane = tuple[str, str]  # an access network, "" where there is one alone, and the direction


@dataclass(frozen=True)
class AirUse:
    """One run: edges of the bins, and by access network and direction the busy part of each and of all."""

    label: str
    edges_s: Floats
    busy: dict[AirLane, Floats]
    mean: dict[AirLane, float]


def air_use(run: Run) -> AirUse:
    """Return how busy each direction of each access network was, in equal bins over the run."""
    transfers = rows_of(run, ("transfers",))["transfers"]
    until_s = max((row["end_s"] for row in transfers), default=0.0) or 1.0
    edges_s = np.linspace(0.0, until_s, BINS + 1)
    parts = {lane: there.within_s(edges_s) for lane, there in busy_lanes(run).items()}
    return AirUse(
        run.label,
        edges_s,
        {lane: seconds / np.diff(edges_s) for lane, seconds in parts.items()},
        {lane: float(seconds.sum()) / until_s for lane, seconds in parts.items()},
    )


def busy_lanes(run: Run) -> dict[AirLane, Busy]:
    """Return when each direction of each access network carried something."""
    transfers, links = rows_of(run, ("transfers",))["transfers"], rows_if_there(run, ("links",))["links"]
    return {
        (access, way): busy(own, way)
        for access, own in _by_access(transfers, links).items()
        for way in DIRECTIONS
    }


def lane_name(lane: AirLane) -> str:
    """Return the name of a direction of the air: ``up``, or ``campus up`` where there are several."""
    return " ".join(filter(None, lane))


def _by_access(transfers: Sequence[Row], links: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the transfers that are on the air of each access network, if there are several."""
    access_of = {link["device"]: link["access"] for link in links}
    accesses = list(dict.fromkeys(access_of.values()))
    if len(accesses) < 2:
        return {"": list(transfers)}
    of_server: dict[str, set[str]] = {}
    for link in links:
        of_server.setdefault(link["server"], set()).add(link["access"])
    own: dict[str, list[Row]] = {access: [] for access in accesses}
    for transfer in transfers:
        device, is_multicast = device_of(transfer), transfer["dst"] == EVERYBODY
        there = of_server.get(transfer["src"], set()) if is_multicast else {access_of.get(device, "")}
        for access in there & own.keys():
            own[access].append(transfer)
    return own
