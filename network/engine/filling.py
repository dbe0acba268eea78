"""Weighted max-min rates over several links with caps, by progressive filling. It knows no flows and no time.

A water level rises from 0; a user's rate is its weight x level until it freezes, at its ceiling or when
a link on its way is full (Bertsekas and Gallager, Data Networks, 2nd ed., section 6.5.2; with weights,
caps and consumption coefficients as in Casanova et al., SimGrid, JPDC 74(10), 2014).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heapreplace
from math import fsum, inf


@dataclass(eq=False, slots=True)
class Link:
    """A capacity and the users that share it.

    The rest is of the filling under way: the capacity not yet given, what a unit of level takes of it,
    what it took when `left` was last found anew, and how many users still rise.
    """

    capacity: float
    users: "dict[LinkUser, None]" = field(default_factory=dict)
    left: float = 0.0
    load: float = 0.0
    full: float = 0.0
    rising: int = 0


@dataclass(eq=False, slots=True)
class LinkUser:
    """Who shares links: its rate is `weight` x `level`, of which each link of `uses` loses so much per unit.

    `level` never rises above `ceiling`; `fill` finds it.
    """

    uses: tuple[tuple[Link, float], ...]
    ceiling: float = inf
    weight: float = 0.0
    level: float = 0.0


_RISING = -1.0
_REMNANT = 1e-3


def fill(links: Sequence[Link], users: Iterable[LinkUser]) -> None:
    """Set the level of all `users`, which must be all those of `links`; each has a link or a ceiling.

    Costs O((users + links) log(users + links)) with ways of bounded length: a link's level only
    rises while others freeze, so a level taken from the heap that is out of date is put back.
    """
    heap = _bounds(links, users)
    while heap:
        level, rank, bound = heap[0]
        if isinstance(bound, LinkUser):
            heappop(heap)
            if bound.level == _RISING:
                _freeze(bound, level)
        elif not bound.rising:
            heappop(heap)
        else:
            if bound.load < _REMNANT * bound.full:
                _refresh(bound)
            now = max(0.0, bound.left / bound.load)  # rounding may have left less than nothing
            if now > level:
                heapreplace(heap, (now, rank, bound))
            else:
                heappop(heap)
                for user in bound.users:
                    if user.level == _RISING:
                        _freeze(user, now)


def _bounds(links: Sequence[Link], users: Iterable[LinkUser]) -> list[tuple[float, int, Link | LinkUser]]:
    """Let all users rise, and return the heap of the levels at which ceilings and links stop them."""
    heap: list[tuple[float, int, Link | LinkUser]] = []
    for link in links:
        link.left, link.load, link.rising = link.capacity, 0.0, 0
    for user in users:
        user.level = _RISING
        for link, use in user.uses:
            link.load += use * user.weight
            link.rising += 1
        if user.ceiling < inf:
            heap.append((user.ceiling, len(heap), user))
    for link in links:
        if link.rising:
            link.full = link.load
            heap.append((link.left / link.load, len(heap), link))
    heapify(heap)
    return heap


def _refresh(link: Link) -> None:
    """Find `left` and `load` anew: so much has been taken from them that rounding shows."""
    loads = [(use * t.weight, t.level) for t in link.users for other, use in t.uses if other is link]
    link.load = link.full = fsum(load for load, level in loads if level == _RISING)
    link.left = link.capacity - fsum(load * level for load, level in loads if level != _RISING)


def _freeze(user: LinkUser, level: float) -> None:
    user.level = level
    for link, use in user.uses:
        load = use * user.weight
        link.left -= load * level
        link.load -= load
        link.rising -= 1
