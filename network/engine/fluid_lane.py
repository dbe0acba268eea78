"""Fluid sharing (see `FluidShare`) whose flows have limits by group too. No clock here.

A flow has the part weight x theta of the lane, but no more than its cap or its group's limit give. So it is
free, or limited, or at its cap; those that are limited all have one bit rate, and are an `Even` pool. What
changes theta or a limit moves only the flows whose side that changes, each in O(log N).
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from math import inf

from slfac_sim.network.engine.flow import Flow, Routed
from slfac_sim.network.engine.fluid import FULL, FluidShare, ceiling
from slfac_sim.network.engine.fluid_group import FluidGroup
from slfac_sim.network.engine.lane import Lane
from slfac_sim.network.engine.pool import head, shrink


class FluidLane(FluidShare, Lane):
    """A `FluidShare` of `Routed` flows that is a lane: whoever changes it calls `level`, then `run`."""

    groups: dict[tuple[str, ...], FluidGroup]  # type: ignore[assignment]

    def __init__(self, capacity: float = 1.0) -> None:
        super().__init__(capacity)
        self.groups = {}
        self._waiting: dict[Flow, None] = {}

    @property
    def weight(self) -> float:  # type: ignore[override]
        """By which the part of the lane that its free flows have grows with their level."""
        return self._free.weights.value if self._free.live else 0.0

    def group(self, path: tuple[str, ...]) -> FluidGroup:
        """Return the group of the flows of `path`."""
        if path not in self.groups:
            self.groups[path] = FluidGroup(path)
            self.groups[path].advance(self._now_s)
        return self.groups[path]

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""
        self._advance(now_s)
        for flow, rate_bps in rates_bps:
            if rate_bps == flow.rate_bps or self._through(flow):
                continue
            if flow.finish < inf and rate_bps > 0.0:
                self._take(flow)
                flow.rate_bps = rate_bps
                self._place(flow)
            else:
                self._withdraw(flow)
                flow.rate_bps = rate_bps
                self._serve(flow)

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the part of the time that the medium gives; at 0 every flow waits."""
        self._advance(now_s)
        self.capacity = capacity

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of start."""
        self._pass(now_s)
        through = self._free.take_finished()
        for group in self.groups.values():
            through += group.limited.take_finished()
        if self._capped.live:
            through += self._capped.take_finished(now_s)
        for flow in through:
            self._unload(flow)
        return sorted(through, key=lambda flow: flow.order)

    def advance(self, now_s: float) -> None:
        """Let time go on to `now_s`, as last divided."""
        self._advance(now_s)

    def level(self) -> None:
        """Divide the lane anew under the limits of its groups, and tell them what they carry."""
        for group in self.groups.values():
            self._split(group)
        self._level()
        theta = self._theta()
        for group in self.groups.values():
            group.tell(theta)

    def run(self) -> float:
        """Let time go on as last divided; return when the first flow will be through."""
        self._free.run(self.capacity - self._held(), self._free.weights.value)
        self.due_s = self._free.due_s
        if self._capped.live:
            self.due_s = min(self.due_s, self._capped.due_s())
        for group in self.groups.values():
            self.due_s = min(self.due_s, group.run())
        if self._waiting:
            self._note_starts()
        return self.due_s

    def _advance(self, now_s: float) -> None:
        if now_s > self._now_s:
            self._pass(now_s)

    def _pass(self, now_s: float) -> None:
        super()._advance(now_s)
        for group in self.groups.values():
            group.advance(now_s)

    def _settle(self) -> None:
        """Leave it to `level` and `run`."""

    def _through(self, flow: Flow) -> bool:
        """Return whether the last bit of `flow` has just left."""
        group, flow = self._group_of(flow)
        v = group.limited.v if flow.limited else self._free.v
        return flow.finish <= (self._now_s if flow.capped else v)

    def _note_starts(self) -> None:
        theta = self._theta()
        for waiting in list(self._waiting):
            group, flow = self._group_of(waiting)
            if flow.capped or (group.limit if flow.limited else theta) > 0.0:
                flow.start_s = self._now_s
                del self._waiting[flow]

    def _group_of(self, flow: Flow) -> tuple[FluidGroup, Routed]:
        assert isinstance(flow, Routed)
        return self.groups[flow.path], flow

    def _serve(self, flow: Flow) -> None:
        group, flow = self._group_of(flow)
        if flow.rate_bps <= 0.0 or flow.cap_bps <= 0.0:
            return
        if flow.start_s is None:
            self._waiting[flow] = None
        group.enter(flow)
        self._place(flow)

    def _place(self, flow: Flow) -> None:
        """Serve `flow` on the side that is probably right; `level` mends a wrong guess."""
        group, flow = self._group_of(flow)
        if self._has_room(flow, min(flow.cap_bps, group.limit)):
            self._hold(group, flow)
        else:
            self._release(flow)

    def _withdraw(self, flow: Flow) -> None:
        if flow.finish == inf:
            return
        self._take(flow)
        self._waiting.pop(flow, None)
        group, flow = self._group_of(flow)
        group.leave(flow)

    def _unload(self, flow: Flow) -> None:
        """Do what is left to do for a flow that has been taken out of its pool."""
        group, flow = self._group_of(flow)
        self._book(group, flow)
        self._waiting.pop(flow, None)
        group.leave(flow)
        if flow.start_s is None:
            flow.start_s = self._now_s  # there was no bit to send

    def _take(self, flow: Flow) -> None:
        """Serve `flow` no more where it is, and book what it has had."""
        group, flow = self._group_of(flow)
        if flow.limited:
            group.limited.leave(flow)
        elif flow.capped:
            self._capped.leave(self._now_s, flow)
        else:
            self._free.leave(flow)
        self._book(group, flow)

    def _book(self, group: FluidGroup, flow: Routed) -> None:
        others = group.limited.live if flow.limited else (self._capped if flow.capped else self._free).live
        group.book(flow, others)

    def _hold(self, group: FluidGroup, flow: Routed) -> None:
        """Serve `flow` at the limit of its group, or at its cap, if that is less."""
        if flow.cap_bps <= group.limit and flow.cap_bps < inf:
            self._capped.join(self._now_s, flow)
            group.cap(flow)
        else:
            group.hold(flow)

    def _release(self, flow: Flow) -> None:
        group, flow = self._group_of(flow)
        self._free.join(flow)
        group.let_free(flow)
        if flow.cap_bps < inf:
            heappush(self._ceilings, (ceiling(flow), flow.order, flow.version, flow))

    def _has_room(self, flow: Flow, most_bps: float) -> bool:
        """Say whether `flow` can probably have `most_bps`."""
        if most_bps == inf:
            return False
        if self._free.live:
            return most_bps <= self._theta() * flow.rate_bps * flow.weight
        return self._held() + most_bps / flow.rate_bps <= self.capacity

    def _held(self) -> float:
        """Return the part of the lane of all who are limited or at their caps."""
        part = self._capped.part.value
        for group in self.groups.values():
            if group.limited.live:
                part += group.limit * group.limited.weights.value
        return part

    def _theta(self) -> float:
        held = self._held()
        if self._free.live:
            return (self.capacity - held) / self._free.weights.value
        return inf if held <= self.capacity * FULL else -inf

    def _split(self, group: FluidGroup) -> None:
        """Have each held flow of `group` at its cap or at the limit, whichever is less."""
        while (cap_bps := head(group.light)) < inf and cap_bps <= group.limit:
            self._hold_again(heappop(group.light)[3])
        while -head(group.heavy) > group.limit:
            self._hold_again(heappop(group.heavy)[3])
        if group.limit == inf:
            while head(group.slow) < inf:
                self._free_again(heappop(group.slow)[3])

    def _hold_again(self, flow: Flow) -> None:
        self._take(flow)
        self._hold(*self._group_of(flow))

    def _free_again(self, flow: Flow) -> None:
        self._take(flow)
        self._release(flow)

    def _level(self) -> None:
        """Have each flow on the right side of theta; see `FluidShare._level`."""
        highest, theta = self._capped.highest, self._theta()
        while -head(highest) > theta:
            self._free_again(heappop(highest)[3])
            theta = self._theta()
        for group in self.groups.values():
            while (pace := head(group.slow)) < inf and pace * theta < group.limit:
                self._free_again(heappop(group.slow)[3])
                theta = self._theta()
        while self._free.live and self._hold_one():
            pass
        shrink(self._ceilings, self._free.live)

    def _hold_one(self) -> bool:
        """Hold a free flow that is not below its ceiling, if there is one."""
        theta = self._theta()
        if head(self._ceilings) <= theta:
            self._hold_again(heappop(self._ceilings)[3])
            return True
        for group in self.groups.values():
            if -head(group.falling) * theta >= group.limit and group.falling:
                self._hold_again(heappop(group.falling)[3])
                return True
        return False


class WiresAlone(FluidLane):
    """In the place of a lane where there is none: every flow has the limit of its group, or its cap."""

    def __init__(self) -> None:
        super().__init__(inf)

    def _has_room(self, flow: Flow, most_bps: float) -> bool:
        return True

    def _free_again(self, flow: Flow) -> None:
        """Leave `flow` limited: by nothing, until a wire has a level."""
