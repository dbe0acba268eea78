"""The table of handovers of docs/validation.md: how many there are, and when, against ns-3's."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from handover import HANDOVER, HandoverCase
from ours import handovers
from stored import reference

Moves = dict[int, list[tuple[float, int, int]]]
"""Time, source and target of each handover, by device."""


class Met(NamedTuple):
    """How many handovers there are, and how much later ours are of devices that visit the same stations."""

    theirs: int
    ours: int
    devices_alike: int
    later_s: Sequence[float]


def met(case: HandoverCase) -> Met:
    """Return our handovers on the ways of `case` against the stored ones."""
    (run,) = reference("handover", case)
    them, us = _by_device(run["handovers"]), _by_device(handovers(case))
    alike = [i for i in range(case.devices) if [m[1:] for m in them[i]] == [m[1:] for m in us[i]]]
    later_s = [our[0] - their[0] for i in alike for their, our in zip(them[i], us[i], strict=True)]
    return Met(sum(map(len, them.values())), sum(map(len, us.values())), len(alike), later_s)


def _by_device(moves: Sequence[Sequence[float]]) -> Moves:
    found: Moves = defaultdict(list)
    for at_s, device, source, target in moves:
        found[int(device)].append((at_s, int(source), int(target)))
    return found


def handover_table() -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| case | ns-3: handovers | ours | error | devices alike | ours later, ms: mean | least | most |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for case in HANDOVER["handover"]:
        theirs, ours, alike, later_s = met(case)
        later_ms = [1e3 * one for one in (statistics.mean(later_s), min(later_s), max(later_s))]
        error = f"{100 * (ours / theirs - 1):+.1f} %"
        cells = [
            case.name,
            theirs,
            ours,
            error,
            f"{alike} of {case.devices}",
            *(f"{x:.0f}" for x in later_ms),
        ]
        yield f"| {' | '.join(map(str, cells))} |"
