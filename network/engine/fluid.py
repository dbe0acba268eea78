"""Fluid processor sharing with weights and caps: O(log N) per start, finish, cancel or change. No clock here.

A flow has the part weight x theta of the medium, but no more than cap / rate; theta is such that the
parts add up to the capacity, or that every flow has its cap (weighted max-min fairness: Bertsekas and
Gallager, Data Networks, 2nd ed., section 6.5.2). The flows below their caps are a `Pool`, whose virtual
time runs at theta; those at their caps are `Capped`. A flow changes sides when theta crosses its ceiling.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from math import inf

from slfac_sim.network.engine.flow import Flow
from slfac_sim.network.engine.pool import Entry, Pool, Sum, charge, head, shrink

FULL = 1.0 + 1e-12  # caps that add up to the capacity fit, whatever the rounding


def ceiling(flow: Flow) -> float:
    """Return the part of the medium per weight at which `flow` reaches its cap."""
    return flow.cap_bps / (flow.rate_bps * flow.weight)


class Capped:
    """Flows at their cap. `Flow.key` is the time when one joined, `Flow.finish` that of its last bit.

    `part` is what they have of the medium, `highest` a heap of their ceilings, negated.
    """

    def __init__(self) -> None:
        self.live = 0
        self.part = Sum()
        self.highest: list[Entry] = []
        self._ends: list[Entry] = []

    def join(self, now_s: float, flow: Flow) -> None:
        """Serve `flow` at its cap from now on."""
        flow.capped = True
        flow.key = now_s
        flow.finish = now_s + flow.left_bits / flow.cap_bps
        heappush(self._ends, (flow.finish, flow.order, flow.version, flow))
        heappush(self.highest, (-ceiling(flow), flow.order, flow.version, flow))
        self.part.add(flow.cap_bps / flow.rate_bps)
        self.live += 1

    def leave(self, now_s: float, flow: Flow) -> None:
        """Serve `flow` no more, and book what it has had."""
        charge(flow, inf if now_s >= flow.finish else (now_s - flow.key) * flow.cap_bps)
        flow.version += 1
        flow.finish = inf
        self.part.add(-flow.cap_bps / flow.rate_bps)
        self.live -= 1
        if not self.live:  # shed every rounding error
            self.part = Sum()
            self.highest.clear()
            self._ends.clear()

    def take_finished(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now."""
        through = []
        while head(self._ends) <= now_s:
            through.append(self._ends[0][3])
            self.leave(now_s, through[-1])
        return through

    def due_s(self) -> float:
        """Return when the first of them will be through."""
        shrink(self.highest, self.live)
        shrink(self._ends, self.live)
        return head(self._ends)


class FluidShare:
    """A share (see `Share`) whose events cost O(log N), and O(log N) for each flow that changes sides.

    `Flow.finish` is infinite while the flow is not served, as with a rate or a cap of 0.
    """

    def __init__(self, capacity: float = 1.0) -> None:
        self.due_s = inf
        self.capacity = capacity
        self._now_s = 0.0
        self._started = 0
        self._free = Pool()
        self._capped = Capped()
        self._ceilings: list[Entry] = []  # of flows in the pool that have a cap

    def start(self, now_s: float, flow: Flow) -> None:
        """Let `flow` take part from now on."""
        self._advance(now_s)
        flow.order = self._started
        self._started += 1
        self._serve(flow)
        self._settle()

    def cancel(self, now_s: float, flow: Flow) -> None:
        """Take `flow` out; its `left_bits` and `airtime_s` say how far it came."""
        self._advance(now_s)
        self._withdraw(flow)
        self._settle()

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 leaves its part to the others."""
        self._advance(now_s)
        free, renewed = self._free, []
        for flow, rate_bps in rates_bps:
            through = flow.finish <= (now_s if flow.capped else free.v)  # its last bit left just now
            if rate_bps == flow.rate_bps or through:
                continue
            if flow.finish < inf == flow.cap_bps and rate_bps > 0.0 and not free.coarse(flow, rate_bps):
                renewed.append((flow, rate_bps))
            else:
                self._withdraw(flow)
                flow.rate_bps = rate_bps
                self._serve(flow)
        if renewed:
            free.renew(renewed)
        self._settle()

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        """Change the part of the time that the medium gives; at 0 every flow waits."""
        self._advance(now_s)
        if self.capacity == 0.0 < capacity:
            for flow in self._free.waiting():
                flow.start_s = now_s
        self.capacity = capacity
        self._settle()

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of start."""
        self._advance(now_s)
        through: list[Flow] = []
        while self.due_s <= now_s:
            self._free.advance(now_s)
            through += self._free.take_finished()
            if self._capped.live:
                through += self._capped.take_finished(now_s)
            self._settle()
        if len(through) > 1:
            through.sort(key=lambda flow: flow.order)
        return through

    def _advance(self, now_s: float) -> None:
        self._now_s = now_s
        self._free.advance(now_s)

    def _serve(self, flow: Flow) -> None:
        if flow.rate_bps <= 0.0 or flow.cap_bps <= 0.0:
            return
        if flow.start_s is None and self.capacity > 0.0:
            flow.start_s = self._now_s
        if flow.cap_bps == inf:
            self._free.join(flow)
        elif self._fits(flow):
            self._capped.join(self._now_s, flow)
        else:
            self._release(flow)

    def _withdraw(self, flow: Flow) -> None:
        if flow.finish == inf:
            return
        if flow.capped:
            self._capped.leave(self._now_s, flow)
        else:
            self._free.leave(flow)

    def _fits(self, flow: Flow) -> bool:
        """Say whether `flow` can probably have its cap; `_level` mends a wrong guess."""
        if self._free.live:
            return ceiling(flow) <= self._theta()
        return self._capped.part.value + flow.cap_bps / flow.rate_bps <= self.capacity

    def _release(self, flow: Flow) -> None:
        self._free.join(flow)
        heappush(self._ceilings, (ceiling(flow), flow.order, flow.version, flow))

    def _theta(self) -> float:
        spare = self.capacity - self._capped.part.value
        if self._free.live:
            return spare / self._free.weights.value
        return inf if self._capped.part.value <= self.capacity * FULL else -inf

    def _level(self) -> None:
        """Have each flow with a cap on the right side of theta.

        Each move raises theta: the first loop takes ceilings above it into a weighted mean, the second
        takes out ceilings below it. So the second never undoes the first; one loop for both could.
        """
        highest, ceilings = self._capped.highest, self._ceilings
        while -head(highest) > self._theta():
            flow = heappop(highest)[3]
            self._capped.leave(self._now_s, flow)
            self._release(flow)
        while self._free.live and head(ceilings) <= self._theta():
            flow = heappop(ceilings)[3]
            self._free.leave(flow)
            self._capped.join(self._now_s, flow)
        shrink(ceilings, self._free.live)

    def _settle(self) -> None:
        """Bring theta and `due_s` up to date after a change."""
        free, capped = self._free, self._capped
        if self._ceilings or capped.live:
            self._level()
        due_s = capped.due_s() if capped.live else inf
        free.run(self.capacity - capped.part.value, free.weights.value)
        self.due_s = due_s if due_s < free.due_s else free.due_s
