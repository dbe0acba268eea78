"""Who missed a round and why, and how many hosts were down meanwhile.

Reasons are those of the ledger without the names of hosts: `d003 is down: off` counts as `down: off` of the
device itself, and as `server down: off` where it is about the server.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from slfac_sim.analysis.rows import rows_if_there, rows_of
from slfac_sim.ledger.folder import Run


@dataclass(frozen=True)
class Missed:
    """One run: by round and reason the devices that missed it, and the hosts down (mean over its time)."""

    label: str
    rounds: Sequence[int]
    missed: Mapping[str, Mapping[int, float]]
    down: Mapping[str, Mapping[int, float]]


def missed(run: Run) -> Missed | None:
    """Return what the tables `misses` and `outages` say; None where they have no rows, or are not there."""
    rows = rows_if_there(run, ("misses", "outages"))
    if not rows["misses"] and not rows["outages"]:
        return None
    ended = {row["round"]: row["at_s"] for row in rows_of(run, ("rounds",))["rounds"]}
    by_reason: dict[str, Counter[int]] = {}
    for row in rows["misses"]:
        by_reason.setdefault(reason_of(row["reason"], row["device"]), Counter())[row["round"]] += 1
    numbers = sorted({*ended, *(row["round"] for row in rows["misses"])})
    return Missed(run.label, numbers, by_reason, _down(rows["outages"], ended))


def reason_of(reason: str, device: str) -> str:
    """Return a reason without the name of the device that it is about."""
    host, is_down, why = reason.partition(" is down: ")
    if not is_down:
        return reason.replace(device, "device")
    return f"down: {why}" if host == device else f"{host} down: {why}"


def _down(outages: Sequence[Mapping[str, Any]], ended: Mapping[int, float]) -> dict[str, dict[int, float]]:
    down: dict[str, dict[int, float]] = {}
    begin_s = 0.0
    for number, end_s in sorted(ended.items()):
        for row in outages:
            up_s = inf if row["up_s"] is None or row["up_s"] != row["up_s"] else row["up_s"]
            within_s = min(end_s, up_s) - max(begin_s, row["down_s"])
            if within_s > 0.0:
                of = down.setdefault(row["reason"], {})
                of[number] = of.get(number, 0.0) + within_s / (end_s - begin_s)
        begin_s = end_s
    return down
