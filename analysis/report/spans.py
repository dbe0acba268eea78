"""A timeline as its page reads it: short, for there may be some ten thousand spans."""

from typing import Any

from slfac_sim.analysis.report.blocks import Lane, Timeline

_UNITS = (
    1_000_000  # a timeline is so many long: finer than a pixel of one that is zoomed into a thousand times
)


def packed(timeline: Timeline) -> dict[str, Any]:
    """Return `timeline` for JSON; the spans of a lane are gap before, length, what, one after the other.

    Lengths are whole numbers of `unit_s`. Spans that touch and are of one kind become one.
    """
    unit_s = (timeline.to_s - timeline.from_s) / _UNITS or 1.0
    return {
        "looks": timeline.looks,
        "from_s": timeline.from_s,
        "to_s": timeline.from_s + unit_s * _UNITS,
        "unit_s": unit_s,
        "lanes": [
            {"name": lane.name, "spans": _packed(lane, timeline.from_s, unit_s)} for lane in timeline.lanes
        ],
        "crowds": timeline.crowds,
    }


def _packed(lane: Lane, from_s: float, unit_s: float) -> list[int]:
    numbers: list[int] = []
    at, last = 0, -1
    for begun_s, ended_s, what in sorted(lane.spans):
        begun = min(max(round((begun_s - from_s) / unit_s), at), _UNITS)
        ended = min(max(round((ended_s - from_s) / unit_s), begun), _UNITS)
        if numbers and begun == at and what == last:
            numbers[-2] += ended - at
        elif ended > begun:
            numbers += [begun - at, ended - begun, what]
        else:
            continue
        at, last = ended, what
    return numbers
