"""The levels of wires by Newton's method: where they carry what they can. No clock here.

What a wire carries rises with its level, linearly until a flow changes sides, and ever more slowly. So a
step from too low never goes too far; one from too high may, and is kept short. Two wires that share a lane
hold each other back, for its air is divided among all who cross either: the steps are one linear system.

Where flows of one wire have weights of their own on the lane, more than one set of levels may be right, and
steps together may go in circles. Then wires are settled one by one, each between levels too low and too high.
"""

from collections.abc import Iterable
from math import inf

from slfac_sim.network.engine.fluid import FULL
from slfac_sim.network.engine.wires import LaneState, Reach, User, Wire

_EXACT, _NEARLY = 1e-14, 1e-11  # of a capacity: what a wire may carry more or less
_TOGETHER, _ONE_BY_ONE = 24, 5000  # turns


def settle(dirty: Iterable[LaneState], changed: Iterable[Wire], now_s: float) -> Iterable[LaneState]:
    """Find the levels that changes of lanes' flows and wires' capacities make; return the lanes they move."""
    reach = Reach(now_s)
    reach.add_states(dirty)
    reach.add_wires(changed)
    lone: Wire | None = None
    for turn in range(_TOGETHER + _ONE_BY_ONE):
        reach.divide()
        started, excess = _looked_at(reach, lone)
        exact = _EXACT if turn < _TOGETHER else _NEARLY
        inexact = [wire for wire in excess if abs(excess[wire]) > exact * wire.capacity]
        if turn < _TOGETHER:
            moved = bool(inexact) and _step_together(excess)
        else:
            lone = None if started else _step_alone(inexact, excess, lone)
            moved = lone is not None
        if not moved and not started:
            return reach.states
    raise RuntimeError("the levels of wires do not settle")


def _looked_at(reach: Reach, lone: Wire | None) -> tuple[bool, dict[Wire, float]]:
    """Return whether wires have a level from now on, and by how much those that had one are too full.

    A wire that limits nobody, and is not too full, loses its level. A `lone` one keeps it while too full.
    """
    started, excess = [], {}
    for wire in reach.crossed:
        if not wire.level:
            continue
        beyond = wire.excess
        if wire.level < inf and (wire.binds or (wire is lone and beyond > 0.0)):
            excess[wire] = beyond
        elif beyond > (FULL - 1.0) * wire.capacity:
            started.append(wire)
        else:
            wire.level = inf
    for wire in started:
        _start(wire)
    reach.add_wires(started)
    return bool(started), excess


def _start(wire: Wire) -> None:
    """Give `wire` a level at which its fastest flows are limited."""
    least, fastest_bps = wire.least, wire.fastest_bps
    wire.stride = _first_stride(wire)
    wire.level = least if fastest_bps == inf else max(least, fastest_bps * (1.0 - wire.stride))


def _first_stride(wire: Wire) -> float:
    """Return a part of a level that passes few flows: four, were they spread evenly."""
    return max(2.0**-10, min(1.0, 4.0 * wire.least / wire.capacity))


def _step_together(excess: dict[Wire, float]) -> bool:
    """Move the levels of all wires; return whether any has moved."""
    moved = False
    for wire, by in zip(excess, _newton(excess), strict=True):
        level = wire.level + by
        if excess[wire] > 0.0:
            wire.stride = min(0.5, max(2.0 * wire.stride, _first_stride(wire)))
            level = max(level, wire.level * (1.0 - wire.stride))
        level = max(level, wire.least)
        moved |= abs(level - wire.level) > 1e-15 * wire.level
        wire.level = level
    return moved


def _step_alone(inexact: list[Wire], excess: dict[Wire, float], before: Wire | None) -> Wire | None:
    """Move the level of one wire, the same as before unless it is full by now; return it."""
    if not inexact:
        return None
    wire = before if before in inexact else min(inexact, key=lambda wire: wire.level)
    assert wire is not None
    if wire is not before:
        wire.low, wire.high = wire.least, inf
    if excess[wire] > 0.0:
        wire.high = wire.level
    else:
        wire.low = wire.level
    level = wire.level + _newton({wire: excess[wire]})[0]
    if not wire.low < level < wire.high:
        level = (wire.low + wire.high) / 2.0 if wire.high < inf else 2.0 * wire.level
    wire.level = level
    return wire


def _newton(excess: dict[Wire, float]) -> list[float]:
    """Return by how much the levels differ from those that fill the wires, were all linear."""
    index = {wire: i for i, wire in enumerate(excess)}
    rows = [[0.0] * len(excess) + [-beyond] for beyond in excess.values()]
    for wire, j in index.items():
        for user in wire.users:
            if user.is_bound:
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
