"""Flows through one share at times that are known: the events in their order, without a SimPy clock.

At one instant capacities change first, then flows are through, then flows arrive, as in `Engine`, which
takes longer because anything may still happen; a test holds the two together.
"""

from collections.abc import Iterable, Sequence
from math import inf
from typing import NamedTuple

from slfac_sim.network.engine import Flow, Share

Arrival = tuple[float, Flow]
Change = tuple[float, float, str]  # when, the capacity from then on, of which link


class Played(NamedTuple):
    """When the last bit of each flow left, for those that are through, and how many events that took.

    An event is an arrival, a completion, or a change of capacity before the last of them.
    """

    last_bit_s: dict[Flow, float]
    events: int


def play(share: Share, arrivals: Sequence[Arrival], changes: Iterable[Change]) -> Played:
    """Let `arrivals` take part in `share`, whose capacity has `changes`, both in the order of time."""
    last_bit_s: dict[Flow, float] = {}
    coming, changing = iter(arrivals), iter(changes)
    arrival_s, flow = next(coming, _NO_ARRIVAL)
    change_s, capacity, link = next(changing, _NO_CHANGE)
    changed = 0
    while len(last_bit_s) < len(arrivals):
        now_s = min(arrival_s, change_s, share.due_s)
        if now_s == inf:
            break  # what is left waits for ever
        while change_s <= now_s:
            share.set_capacity(now_s, capacity, link)
            changed += 1
            change_s, capacity, link = next(changing, _NO_CHANGE)
        if share.due_s <= now_s:
            for through in share.finish(now_s):
                last_bit_s[through] = now_s
        while arrival_s <= now_s:
            share.start(now_s, flow)
            arrival_s, flow = next(coming, _NO_ARRIVAL)
    return Played(last_bit_s, len(arrivals) + len(last_bit_s) + changed)


_NO_ARRIVAL: Arrival = (inf, Flow(0.0, 0.0))
_NO_CHANGE: Change = (inf, 0.0, "")
