"""The levels of wires behind lanes: see `JoinedShare`. They know no time but the present."""

from collections.abc import Iterable
from math import inf

from slfac_sim.network.engine.flow import Share
from slfac_sim.network.engine.fluid import FULL
from slfac_sim.network.engine.lane import Group, Lane

_EXACT = 1e-14  # of a capacity: what a wire may carry more or less
_TOGETHER = 24
_ROUNDS = 2000


class Wire:
    """A capacity in bit/s, the groups that cross it, and its level."""

    __slots__ = ("capacity", "level", "name", "stride", "users")

    def __init__(self, name: str, capacity: float) -> None:
        self.name = name
        self.capacity = capacity
        self.level = inf
        self.stride = 0.0  # the most, by the level, that it goes down in a step
        self.users: list[User] = []

    @property
    def excess(self) -> float:
        """What its flows carry beyond its capacity."""
        return sum(user.group.carried[user.place] for user in self.users) - self.capacity

    @property
    def least(self) -> float:
        """The level at which they could not overfill it, were it the rate of each."""
        uses = sum(user.group.uses[user.place] for user in self.users)
        return self.capacity / uses if uses > 0.0 else inf

    @property
    def fastest_bps(self) -> float:
        """The rate of the fastest of its flows."""
        return max(user.group.fastest_bps for user in self.users)


class User:
    """A group on a wire, and the wire's place among the group's."""

    __slots__ = ("group", "place", "state")

    def __init__(self, state: "LaneState", group: Group, place: int) -> None:
        self.state = state
        self.group = group
        self.place = place


class LaneState:
    """A lane, which is also the share of its flows, and the wires of its groups."""

    __slots__ = ("lane", "rank", "share", "version", "wires")

    def __init__(self, share: Share, lane: Lane, rank: int) -> None:
        self.share = share
        self.lane = lane
        self.rank = rank
        self.version = 0
        self.wires: list[tuple[Group, list[Wire]]] = []

    def join(self, path: tuple[str, ...], wires: list[Wire]) -> None:
        """Let there be a group of flows of `path`."""
        group = self.lane.group(path)
        self.wires.append((group, wires))
        for place, wire in enumerate(wires):
            wire.users.append(User(self, group, place))

    def limit(self) -> bool:
        """Tell the groups their limits; return whether any has changed."""
        changed = False
        for group, wires in self.wires:
            limit, bound = inf, 0
            for place, wire in enumerate(wires, 1):
                if wire.level < limit:
                    limit, bound = wire.level, place
            if limit != group.limit or bound != group.bound:
                group.limit, group.bound = limit, bound
                changed = True
        return changed


def settle(dirty: Iterable[LaneState], changed: Iterable[Wire], now_s: float) -> Iterable[LaneState]:
    """Find the levels that changes of lanes' flows and wires' capacities make; return the lanes they move."""
    reach = _Reach(now_s)
    reach.add_states(dirty)
    reach.add_wires(changed)
    for turn in range(_ROUNDS):
        reach.divide()
        full = [wire for wire in reach.crossed if wire.level == inf and _overfull(wire)]
        for wire in full:
            _start(wire)
        reach.add_wires(full)
        moved = _step([wire for wire in reach.wires if 0.0 < wire.level < inf and wire not in full], turn)
        if not full and not moved:
            return reach.states
    raise RuntimeError("the levels of wires do not settle")


class _Reach:
    """The lanes and wires that changes reach, by wires that have a level."""

    def __init__(self, now_s: float) -> None:
        self.states: dict[LaneState, None] = {}
        self.wires: dict[Wire, None] = {}
        self.crossed: dict[Wire, None] = {}
        self._now_s = now_s
        self._new: dict[LaneState, None] = {}

    def add_states(self, states: Iterable[LaneState]) -> None:
        for state in states:
            if state not in self.states:
                self.states[state] = self._new[state] = None
                state.lane.advance(self._now_s)
                for _, wires in state.wires:
                    self.crossed.update(dict.fromkeys(wires))
                    self.add_wires(wire for wire in wires if wire.level < inf or not wire.capacity)

    def add_wires(self, wires: Iterable[Wire]) -> None:
        for wire in wires:
            if wire not in self.wires:
                self.wires[wire] = self.crossed[wire] = None
                wire.stride = 0.0
                if not wire.capacity or not wire.level:
                    wire.level = inf if wire.capacity else 0.0  # a dead wire stops whoever comes
                self.add_states(user.state for user in wire.users)

    def divide(self) -> None:
        """Divide anew the lanes whose limits or flows have changed."""
        for state in self.states:
            if state.limit() or state in self._new:
                state.lane.level()
        self._new = {}


def _overfull(wire: Wire) -> bool:
    return wire.excess > (FULL - 1.0) * wire.capacity


def _first_stride(wire: Wire) -> float:
    """Return a part of a level that passes few flows: four, were they spread evenly."""
    return max(2.0**-10, min(1.0, 4.0 * wire.least / wire.capacity))


def _start(wire: Wire) -> None:
    """Give `wire` a level at which its fastest flows are limited."""
    least, fastest_bps = wire.least, wire.fastest_bps
    wire.stride = _first_stride(wire)
    wire.level = least if fastest_bps == inf else max(least, fastest_bps * (1.0 - wire.stride))


def _step(wires: list[Wire], turn: int) -> bool:
    """Move the levels of `wires` towards where they are full; return whether any has moved."""
    bound, moved = [], False
    for wire in wires:
        excess = wire.excess
        if any(user.group.bound == user.place + 1 and user.group.rising[user.place] for user in wire.users):
            bound.append((wire, excess))
        elif excess <= _EXACT * wire.capacity:
            wire.level = inf
        else:
            _start(wire)
            moved = True
    if all(abs(excess) <= _EXACT * wire.capacity for wire, excess in bound):
        return moved
    if turn > _TOGETHER:  # one by one it settles for certain, if slowly
        inexact = [one for one in bound if abs(one[1]) > _EXACT * one[0].capacity]
        bound = [min(inexact, key=lambda one: one[0].level)]
    for (wire, excess), by in zip(bound, _newton(bound), strict=True):
        moved |= _move(wire, excess, by)
    return moved


def _move(wire: Wire, excess: float, by: float) -> bool:
    """Move the level of `wire` by `by`, but not too far down at once; return whether it has moved."""
    level = wire.level + by
    if excess > 0.0:
        wire.stride = min(0.5, max(2.0 * wire.stride, _first_stride(wire)))
        level = max(level, wire.level * (1.0 - wire.stride))
    level = max(level, wire.least)
    before, wire.level = wire.level, level
    return abs(level - before) > 1e-15 * before


def _newton(bound: list[tuple[Wire, float]]) -> list[float]:
    """Return by how much the levels differ from those that fill the wires, were all linear."""
    index = {wire: i for i, (wire, _) in enumerate(bound)}
    rows = [[0.0] * len(bound) + [-excess] for _, excess in bound]
    for wire, j in index.items():
        for user in wire.users:
            if user.group.bound == user.place + 1:
                _add_slopes(rows, index, j, user)
    return _solved(rows)


def _add_slopes(rows: list[list[float]], index: dict[Wire, int], j: int, user: User) -> None:
    """Add what the group of `user` changes on all wires with the level of wire `j`, which limits it."""
    group, lane = user.group, user.state.lane
    given_back = group.air / lane.weight if lane.weight else 0.0  # by which the lane's level falls
    for other, wires in user.state.wires:
        for place, wire in enumerate(wires):
            if wire in index:
                rows[index[wire]][j] -= given_back * other.free[place]
                if other is group:
                    rows[index[wire]][j] += other.rising[place]


def _solved(rows: list[list[float]]) -> list[float]:
    """Solve the linear equations by elimination. A level that changes nothing is infinite, or its least."""
    size = len(rows)
    for i in range(size):
        pivot = rows[i][i]
        if pivot <= 0.0:
            continue
        for k in range(size):
            if k != i and rows[k][i]:
                factor = rows[k][i] / pivot
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i], strict=True)]
    return [
        row[-1] / row[i] if row[i] > 0.0 else inf * row[-1] if row[-1] else 0.0 for i, row in enumerate(rows)
    ]
