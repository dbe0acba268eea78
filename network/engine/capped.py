"""The flows of a share that go at their cap: each at its own constant rate. They know no virtual time."""

from heapq import heappush
from math import inf

from slfac_sim.network.engine.flow import Flow
from slfac_sim.network.engine.pool import Entry, Sum, charge, head, shrink


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
