"""Lanes and the wires behind them, each fair by its own rule. No clock here.

A flow has a lane, the medium that it is on, and any number of wires. A lane divides itself by its own rule
under the limits that the wires set: a wire's level is the bit rate that its flows may have at most, such that
they fill it; infinite where they do not. What a lane carries grows with the limits of its groups, linearly
until a flow changes sides, so the levels are found by Newton's method in few steps.
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from math import inf

from slfac_sim.network.engine.allotted import AllottedShare
from slfac_sim.network.engine.allotted_lane import AllottedLane
from slfac_sim.network.engine.flow import Flow, Routed, Share
from slfac_sim.network.engine.fluid import FluidShare
from slfac_sim.network.engine.fluid_lane import FluidLane, WiresAlone
from slfac_sim.network.engine.lane import Lane, Unlimited
from slfac_sim.network.engine.newton import settle
from slfac_sim.network.engine.pool import EntryOf, head, shrink
from slfac_sim.network.engine.wires import LaneState, Wire


class JoinedShare:
    """A share (see `Share`) of lanes and wires with `Routed` flows.

    `path` is the lane and then the wires, `consumption` 1 and then the bits that each wire carries for a bit
    on the lane; the lane's name is empty where there are wires alone. All else of a flow is for its lane.
    `lane_of(name)` returns a lane, empty, when its first flow starts; `wires` are capacities in bit/s.

    However many changes one instant brings, rates are found once: when time goes on, or when `due_s` is
    asked for. `solves` counts.
    """

    def __init__(self, lane_of: Callable[[str], Share], wires: Mapping[str, float]) -> None:
        self.solves = 0
        self._lane_of = lane_of
        self._wires = {name: Wire(name, capacity) for name, capacity in wires.items()}
        self._lanes: dict[str, LaneState] = {}
        self._now_s = 0.0
        self._order: dict[Flow, int] = {}
        self._started = 0
        self._dirty: dict[LaneState, None] = {}
        self._changed: dict[Wire, None] = {}  # wires whose capacities have
        self._dues: list[EntryOf[LaneState]] = []

    @property
    def due_s(self) -> float:
        """When the next flow will be through; infinite when none will."""
        if self._dirty or self._changed:
            self._solve()
        return head(self._dues)

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow`, a `Routed`, take part from now on. Raises `KeyError` for an unknown wire."""
        assert isinstance(flow, Routed)
        self._advance(now_s)
        state = self._lanes.get(flow.path[0]) or self._new_lane(flow.path[0])
        if flow.path not in state.lane.groups:
            state.join(flow.path, [self._wires[name] for name in flow.path[1:]])
        self._order[flow] = self._started
        self._started += 1
        state.share.start(now_s, flow)
        self._dirty[state] = None

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        self._advance(now_s)
        state = self._state(flow)
        state.share.cancel(now_s, flow)
        del self._order[flow]
        self._dirty[state] = None

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""
        self._advance(now_s)
        changes: dict[LaneState, list[tuple[Flow, float]]] = {}
        for flow, rate_bps in rates_bps:
            changes.setdefault(self._state(flow), []).append((flow, rate_bps))
        for state, pairs in changes.items():
            state.share.set_rates(now_s, pairs)
            self._dirty[state] = None

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the capacity of a wire, or the part of the time that a lane has. Raises `KeyError`."""
        self._advance(now_s)
        if link in self._wires:
            self._wires[link].capacity = capacity
            self._changed[self._wires[link]] = None
        else:
            state = self._lanes.get(link) or self._new_lane(link)
            state.share.set_capacity(now_s, capacity)
            self._dirty[state] = None

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of start."""
        self._advance(now_s)
        if self._dirty or self._changed:
            self._solve()
        through: list[Flow] = []
        dues = self._dues
        while dues and dues[0][0] <= now_s:
            _, _, version, state = heappop(dues)
            if version == state.version:
                through += state.share.finish(now_s)
                self._dirty[state] = None
        if len(through) > 1:
            through.sort(key=self._order.__getitem__)
        for flow in through:
            del self._order[flow]
        return through

    def _advance(self, now_s: float) -> None:
        if now_s > self._now_s and (self._dirty or self._changed):
            self._solve()
        self._now_s = now_s

    def _state(self, flow: Flow) -> LaneState:
        assert isinstance(flow, Routed)
        return self._lanes[flow.path[0]]

    def _new_lane(self, name: str) -> LaneState:
        share: Share = WiresAlone() if not name else _limitable(self._lane_of(name))
        lane = share if isinstance(share, Lane) else Unlimited(share)
        state = self._lanes[name] = LaneState(share, lane, len(self._lanes))
        return state

    def _solve(self) -> None:
        """Find the rates anew wherever the changes of this instant can reach."""
        self.solves += 1
        for state in settle(self._dirty, self._changed, self._now_s):
            state.version += 1
            due_s = state.lane.run()
            if due_s < inf:
                heappush(self._dues, (due_s, state.rank, state.version, state))
        self._dirty, self._changed = {}, {}
        shrink(self._dues, 2 * len(self._lanes))


def _limitable(share: Share) -> Share:
    """Return the same medium as a `Lane`, where it divides again what limited flows leave."""
    if type(share) is FluidShare:
        return FluidLane(share.capacity)
    if type(share) is AllottedShare and share.refills:
        return AllottedLane(share)
    return share
