"""What devices did and when: their days as stretches of a few lanes, over a round and over a whole run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slfac_sim.analysis.critical_path import BARRIER, CODEC, CODEC_WORK, DEVICE_COMPUTE, Segment
from slfac_sim.analysis.device_days import DeviceDays, device_days
from slfac_sim.analysis.rows import derived, recorded
from slfac_sim.analysis.structure import Row, is_server
from slfac_sim.ledger.folder import Run

LANES = ("compute", "codec", "uplink", "downlink", "server", "waits for others")
COMPUTE, CODING, UPLINK, DOWNLINK, SERVED, WAITS = LANES

Stretch = tuple[float, float, str]  # from, to (s), lane


@dataclass(frozen=True)
class RoundDays:
    """One run's round: (from_s, to_s, lane) of each device, fastest first, and how fast each computes.

    `speeds_flops` are FLOP/s, or 0 for a device that computed nothing.
    """

    label: str
    round: int | None
    from_s: float
    to_s: float
    days: dict[str, list[Stretch]]
    speeds_flops: dict[str, float]


def days_of(run: Run) -> DeviceDays:
    """Return the day of each device over the whole of `run`; kept for who asks next. Raises `BadInput`."""
    return derived(run, "days", lambda: device_days(recorded(run)))


def round_days(run: Run) -> RoundDays:
    """Return the second round, or the first, or the whole if none was finished. Raises `BadInput`."""
    rows = recorded(run)
    number, from_s, to_s = shown_round(rows["rounds"])
    days = device_days(rows, to_s, from_s)
    speeds = speeds_flops(rows["computes"])
    lanes = {device: stretches(days[device]) for device in fastest_first(days, speeds)}
    until_s = to_s if to_s is not None else max((day[-1][1] for day in lanes.values() if day), default=1.0)
    return RoundDays(run.label, number, from_s, until_s, lanes, {d: speeds.get(d, 0.0) for d in lanes})


def shown_round(rounds: Sequence[Row]) -> tuple[int | None, float, float | None]:
    """Return (number, from_s, to_s) of the second round, or of the first; (None, 0, None) without one."""
    ends = [(row["round"], row["at_s"]) for row in rounds][:2]
    number, to_s = ends[-1] if ends else (None, None)
    return number, ends[0][1] if len(ends) == 2 else 0.0, to_s


def speeds_flops(computes: Iterable[Row]) -> dict[str, float]:
    """Return how fast hosts were in FLOP/s, at what was done last and is no codec."""
    return {
        row["host"]: row["flops"] / (row["end_s"] - row["start_s"])
        for row in computes
        if row["end_s"] > row["start_s"] and row["outcome"] == "done" and row["what"] not in CODEC_WORK
    }


def fastest_first(devices: Iterable[str], speeds: Mapping[str, float]) -> list[str]:
    """Return `devices` by their speed; those that computed nothing come last."""
    return sorted(devices, key=lambda device: (-speeds.get(device, 0.0), device))


def stretches(segments: Iterable[Segment]) -> list[Stretch]:
    """Return segments of time by lanes, with neighbours of one lane joined."""
    joined: list[Stretch] = []
    for segment in segments:
        lane = lane_of(segment)
        if joined and joined[-1][2] == lane and joined[-1][1] == segment.from_s:
            joined[-1] = (joined[-1][0], segment.to_s, lane)
        else:
            joined.append((segment.from_s, segment.to_s, lane))
    return joined


def spent_s(day: Iterable[Stretch]) -> dict[str, float]:
    """Return the seconds of each of `LANES` in a day, or in a part of one."""
    sums_s = dict.fromkeys(LANES, 0.0)
    for from_s, to_s, lane in day:
        sums_s[lane] += to_s - from_s
    return sums_s


def lane_of(segment: Segment) -> str:
    """Return which of `LANES` a segment is of."""
    if segment.part == BARRIER:
        return WAITS
    if is_server(segment.host):
        return SERVED
    if segment.part in (DEVICE_COMPUTE, CODEC):
        return CODING if segment.part == CODEC else COMPUTE
    return UPLINK if segment.what == "up" else DOWNLINK
