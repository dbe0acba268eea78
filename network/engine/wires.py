"""Wires, the groups of lanes that cross them, and what of them a change reaches. No clock here."""

from collections.abc import Iterable
from math import inf

from slfac_sim.network.engine.flow import Share
from slfac_sim.network.engine.lane import Group, Lane


class Wire:
    """A capacity in bit/s, the groups that cross it, and its level."""

    __slots__ = ("capacity", "high", "level", "low", "name", "stride", "users")

    def __init__(self, name: str, capacity: float) -> None:
        self.name = name
        self.capacity = capacity
        self.level = inf
        self.stride = 0.0  # the most, by the level, that it goes down in a step
        self.low, self.high = 0.0, inf  # levels known to be too low and too high
        self.users: list[User] = []

    @property
    def excess(self) -> float:
        """What its flows carry beyond its capacity."""
        return sum(user.group.carried[user.place] for user in self.users) - self.capacity

    @property
    def binds(self) -> bool:
        """Whether it limits a flow."""
        return any(user.is_bound and user.group.rising[user.place] for user in self.users)

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

    @property
    def is_bound(self) -> bool:
        """Whether it is this wire that limits the group."""
        return self.group.bound == self.place + 1


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


class Reach:
    """The lanes and wires that changes reach, by wires that have a level; `crossed` are all of the lanes."""

    def __init__(self, now_s: float) -> None:
        self.states: dict[LaneState, None] = {}
        self.wires: dict[Wire, None] = {}
        self.crossed: dict[Wire, None] = {}
        self._now_s = now_s
        self._new: dict[LaneState, None] = {}

    def add_states(self, states: Iterable[LaneState]) -> None:
        """Add lanes, and whom they share wires with."""
        for state in states:
            if state not in self.states:
                self.states[state] = self._new[state] = None
                state.lane.advance(self._now_s)
                for _, wires in state.wires:
                    self.crossed.update(dict.fromkeys(wires))
                    self.add_wires(wire for wire in wires if wire.level < inf or not wire.capacity)

    def add_wires(self, wires: Iterable[Wire]) -> None:
        """Add wires, and the lanes of their flows. A dead wire stops whoever comes."""
        for wire in wires:
            if wire not in self.wires:
                self.wires[wire] = self.crossed[wire] = None
                wire.stride = 0.0
                if not wire.capacity or not wire.level:
                    wire.level = inf if wire.capacity else 0.0
                self.add_states(user.state for user in wire.users)

    def divide(self) -> None:
        """Divide anew the lanes whose limits or flows have changed."""
        for state in self.states:
            if state.limit() or state in self._new:
                state.lane.level()
        self._new = {}
