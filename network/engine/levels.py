"""Weighted max-min levels of routes over links, one link at a time. They know no time.

A link's level is that at which the flows that rise with it fill it, while the others have what their caps or
other links leave them; a route's level is the least of its links'. Where both hold everywhere, rates are
max-min fair: every flow is at its cap, or on a full link on which nobody has more per weight (Bertsekas and
Gallager, Data Networks, 2nd ed., section 6.5.2). Links that follow one another reach that from any levels in
finitely many steps, for the lowest level is right as soon as its link has been looked at, and then the next
(Charny, Clark and Jain, ICC 1995); from those before a change in few, for nearly all are right already.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from math import inf

from slfac_sim.network.engine.fluid import FULL
from slfac_sim.network.engine.route import Load, Route


class Link:
    """A capacity, the routes that share it, and its level: infinite while they do not fill it."""

    __slots__ = ("capacity", "level", "rank", "ways")

    def __init__(self, capacity: float, rank: int) -> None:
        self.capacity = capacity
        self.rank = rank
        self.level = inf
        self.ways: dict[Route, Way] = {}


class Way:
    """A route on one link: what it uses of it, the others of its links, and the level that they leave it."""

    __slots__ = ("bound", "limit", "load", "others", "route")

    def __init__(self, route: Route, load: Load, others: tuple[Link, ...]) -> None:
        self.route = route
        self.load = load
        self.others = others
        self.limit = inf
        self.bound = True  # by this link; or else by its limit


def settle(dirty: Iterable[Link], now_s: float) -> dict[Route, None]:
    """Find the levels anew, beginning at links whose flows or capacities have changed.

    Returns the routes that were looked at.
    """
    seen: dict[Route, None] = {}
    waiting = dict.fromkeys(dirty)
    todo = [(link.level, link.rank, link) for link in waiting]
    heapify(todo)
    while todo:
        link = heappop(todo)[2]
        del waiting[link]
        before = link.level
        _fill(link, now_s)
        for way in link.ways.values():
            way.route.level = link.level if way.bound else way.limit
            seen[way.route] = None
        if link.level != before:
            lower = min(before, link.level)
            for way in link.ways.values():
                for other in way.others:
                    if lower < other.level and other not in waiting and not _has_room(other):
                        waiting[other] = None
                        heappush(todo, (other.level, other.rank, other))
    return seen


def _has_room(link: Link) -> bool:
    """Return whether `link`, not full before, carries what its routes have now."""
    if link.level < inf:
        return False
    used = 0.0
    for route, way in link.ways.items():
        load = way.load
        used += load.held.value
        if load.rising.value:
            used += load.rising.value * route.level
    return used <= link.capacity * FULL


def _fill(link: Link, now_s: float) -> None:
    """Find the level of `link`, and have its flows on the right sides of their caps.

    Each move of the first loop takes a ceiling or a limit above the level into a weighted mean, each of the
    second takes out one below it: all of them raise the level, so the second never undoes the first.
    """
    ways = list(link.ways.values())
    for way in ways:
        limit = inf
        for other in way.others:
            if other.level < limit:
                limit = other.level
        way.limit = limit
        way.bound = limit >= link.level
        if not way.bound:
            way.route.split(way.limit, now_s)
    level = _level(link.capacity, ways)
    for way in ways:
        if way.limit > level and not way.bound:
            way.bound = True
            level = _level(link.capacity, ways)
        while way.bound and way.route.highest > level:
            way.route.release_highest(now_s)
            level = _level(link.capacity, ways)
    link.level = _let_go(link.capacity, ways, level, now_s)


def _let_go(capacity: float, ways: list[Way], level: float, now_s: float) -> float:
    """Take what the level does not bind out of the rising flows, until it binds all of them; return it."""
    settled = False
    while not settled:
        settled = True
        for way in ways:
            while way.bound and way.route.lowest <= level < inf:
                way.route.hold_lowest(now_s)
                level, settled = _level(capacity, ways), False
            if way.bound and way.limit <= level and way.limit < inf:
                way.bound = False
                way.route.split(way.limit, now_s)
                level, settled = _level(capacity, ways), False
    return level


def _level(capacity: float, ways: list[Way]) -> float:
    """Return the level at which flows that are bound here fill the link, all on their present sides."""
    rising = held = 0.0
    for way in ways:
        load = way.load
        held += load.held.value
        if way.bound:
            rising += load.rising.value
        elif load.rising.value:
            held += load.rising.value * way.limit
    if rising > 0.0:
        return max(0.0, (capacity - held) / rising)
    return inf if held <= capacity * FULL else -inf
