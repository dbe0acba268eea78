"""Who was handed over from station to station, and what the interruptions cost; it draws nothing."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from slfac_sim.analysis.critical_path import AIR_WAIT, AIRTIME, WIRE_WAIT, Segment
from slfac_sim.analysis.structure import EVERYBODY, Row, Tables, device_of

_ON_THE_WAY = (AIR_WAIT, WIRE_WAIT, AIRTIME)

Span = tuple[float, float]


@dataclass(frozen=True)
class HandedOver:
    """The handovers of one device.

    Of `interruption_s`, all of its interruptions together, for `under_way_s` something was on its way to it
    or from it, and for `on_path_s` that was on the critical path. `carried_bits` went along.
    """

    device: str
    handovers: int
    ping_pongs: int
    interruption_s: float
    under_way_s: float
    on_path_s: float
    carried_bits: float


def handed_over(tables: Tables, path: Sequence[Segment]) -> list[HandedOver]:
    """Return the devices of the table `handovers`, those handed over most first.

    A multicast is under way to a device if it goes to all; on the `path` it is nobody's.
    """
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in tables["handovers"]:
        rows[row["device"]].append(row)
    everybody = len({row["device"] for row in tables["links"]})
    sent: dict[str, list[Span]] = defaultdict(list)
    for row in tables["transfers"] if rows else ():
        if row["dst"] != EVERYBODY or row["receivers"] == everybody:
            sent[device_of(row)].append((row["start_s"], row["last_bit_s"]))
    waits: dict[str, list[Span]] = defaultdict(list)
    for segment in path:
        if segment.part in _ON_THE_WAY:
            waits[segment.host].append((segment.from_s, segment.to_s))
    found = [
        _handed_over(device, own, sent[device] + sent[EVERYBODY], waits[device])
        for device, own in rows.items()
    ]
    return sorted(found, key=lambda one: (-one.handovers, one.device))


def _handed_over(device: str, rows: Sequence[Row], sent: Iterable[Span], waits: Iterable[Span]) -> HandedOver:
    cut = [(row["at_s"], row["at_s"] + row["interruption_s"]) for row in rows]
    return HandedOver(
        device=device,
        handovers=len(rows),
        ping_pongs=sum(row["is_ping_pong"] for row in rows),
        interruption_s=fsum(row["interruption_s"] for row in rows),
        under_way_s=common_s(_joined(cut), _joined(sent)),
        on_path_s=common_s(_joined(cut), _joined(waits)),
        carried_bits=fsum(row["carried_bits"] for row in rows),
    )


def common_s(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Return for how long spans of both were, each in order and apart."""
    shared, place = [], 0
    for from_s, to_s in one:
        while place < len(other) and other[place][1] <= from_s:
            place += 1
        later = place
        while later < len(other) and other[later][0] < to_s:
            shared.append(min(to_s, other[later][1]) - max(from_s, other[later][0]))
            later += 1
    return fsum(shared)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Return `spans` in order, those that touch as one."""
    joined: list[Span] = []
    for from_s, to_s in sorted(spans):
        if joined and from_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], to_s))
        else:
            joined.append((from_s, to_s))
    return joined
