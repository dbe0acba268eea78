"""Fluid processor sharing by virtual time: O(log N) per start, finish, cancel or change. No clock here.

Virtual time V is the airtime that a flow of weight 1 has been given so far: dV/dt = capacity / sum of
weights. A flow's virtual finish, V + bits / (rate x weight), does not move when others come and go, so
a heap of virtual finishes is all that is needed (generalised processor sharing: Parekh and Gallager,
IEEE/ACM Trans. Networking 1(3), 1993).
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from math import inf

from slfac_sim.network.engine.flow import Flow


class FluidShare:
    """A share (see `Share`) whose events cost O(log N).

    `Flow.key` is V when the flow got its present rate, `Flow.finish` its virtual finish, infinite while
    it is not served. Heap entries whose finish is no longer their flow's are stale.
    """

    def __init__(self, capacity: float = 1.0) -> None:
        self.due_s = inf
        self._capacity = capacity
        self._now_s = 0.0
        self._v = 0.0
        self._weights = 0.0
        self._served = 0
        self._started = 0
        self._heap: list[tuple[float, int, Flow]] = []

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
        for flow, rate_bps in rates_bps:
            through = flow.finish <= self._v  # its last bit left at this very instant
            if rate_bps != flow.rate_bps and not through:
                self._withdraw(flow)
                flow.rate_bps = rate_bps
                self._serve(flow)
        self._settle()

    def set_capacity(self, now_s: float, capacity: float) -> None:
        """Change the part of the time that the medium gives; at 0 every flow waits."""
        self._advance(now_s)
        if self._capacity == 0.0 < capacity:
            for finish, _, flow in self._heap:
                if finish == flow.finish and flow.start_s is None:
                    flow.start_s = now_s
        self._capacity = capacity
        self._settle()

    def finish(self, now_s: float) -> list[Flow]:
        """Take out the flows that are through by now, in the order of completion, then of start."""
        self._advance(now_s)
        through = []
        while self.due_s <= now_s:
            flow = self._heap[0][2]
            flow.airtime_s += flow.left_bits / flow.rate_bps
            flow.left_bits = 0.0
            self._leave(flow)
            through.append(flow)
            self._settle()
        return through

    def _advance(self, now_s: float) -> None:
        if now_s >= self.due_s:
            self._v = max(self._v, self._heap[0][0])  # exactly: rounding must not leave a crumb to send
        elif self._served:
            self._v += (now_s - self._now_s) * self._capacity / self._weights
        self._now_s = now_s

    def _serve(self, flow: Flow) -> None:
        if flow.rate_bps <= 0.0:
            return
        if flow.start_s is None and self._capacity > 0.0:
            flow.start_s = self._now_s
        flow.key = self._v
        flow.finish = self._v + flow.left_bits / (flow.rate_bps * flow.weight)
        heappush(self._heap, (flow.finish, flow.order, flow))
        self._weights += flow.weight
        self._served += 1

    def _withdraw(self, flow: Flow) -> None:
        if flow.finish == inf:
            return
        alone_s = flow.left_bits / flow.rate_bps
        through = self._v >= flow.finish
        had_s = alone_s if through else min((self._v - flow.key) * flow.weight, alone_s)
        flow.airtime_s += had_s
        flow.left_bits = 0.0 if through else max(0.0, flow.left_bits - had_s * flow.rate_bps)
        self._leave(flow)

    def _leave(self, flow: Flow) -> None:
        flow.finish = inf
        self._weights -= flow.weight
        self._served -= 1

    def _settle(self) -> None:
        """Bring the heap's head and `due_s` up to date after a change."""
        if not self._served:  # idle: shed every rounding error
            self._heap.clear()
            self._v = self._weights = 0.0
            self.due_s = inf
            return
        if len(self._heap) > 2 * self._served + 16:
            self._heap = [entry for entry in self._heap if entry[0] == entry[2].finish]
            heapify(self._heap)
        while self._heap[0][0] != self._heap[0][2].finish:
            heappop(self._heap)
        ahead = self._heap[0][0] - self._v
        if ahead <= 0.0:
            self.due_s = self._now_s
        elif self._capacity > 0.0:
            self.due_s = self._now_s + ahead * self._weights / self._capacity
        else:
            self.due_s = inf
