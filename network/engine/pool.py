"""Flows served in proportion to their weights, by virtual time. It knows no capacity, no cap and no link.

Virtual time V is the service that a flow of weight 1 has been given so far. A flow's virtual finish,
V + bits / (rate x weight), does not move when others come and go, or when V runs faster or slower: a heap
of virtual finishes is all that is needed, and a change costs O(log N) (generalised processor sharing:
Parekh and Gallager, IEEE/ACM Trans. Networking 1(3), 1993).
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Protocol, TypeVar

from slfac_sim.network.engine.flow import Flow

COARSE = 2.0**16  # V in units of a flow's service above which it is counted from 0 again


class Versioned(Protocol):
    """What entries of a heap are of: they are stale once it has another version."""

    version: int


_T = TypeVar("_T", bound=Versioned)
EntryOf = tuple[float, int, int, _T]  # key, order, version, and what it is of
Entry = EntryOf[Flow]


class Sum:
    """A running sum without drift: `value` after many additions and subtractions is right to an ulp or two.

    Knuth's two-sum keeps what rounding took away (The Art of Computer Programming 2, section 4.2.2).
    """

    __slots__ = ("_high", "_low", "value")

    def __init__(self) -> None:
        self._high = self._low = self.value = 0.0

    def add(self, term: float) -> None:
        """Add `term`, which may be negative."""
        before = self._high
        high = before + term
        back = high - before
        self._low += (before - (high - back)) + (term - back)
        self._high = high
        self.value = high + self._low


def head(heap: list[EntryOf[_T]]) -> float:
    """Shed the stale entries on top of `heap` and return its smallest key, infinite when it is empty."""
    while heap and heap[0][2] != heap[0][3].version:
        heappop(heap)
    return heap[0][0] if heap else inf


def shrink(heap: list[EntryOf[_T]], live: int) -> None:
    """Drop the stale entries of `heap` when they are more than the `live` ones."""
    if len(heap) > 2 * live + 16:
        heap[:] = [entry for entry in heap if entry[2] == entry[3].version]
        heapify(heap)


def charge(flow: Flow, had_bits: float) -> None:
    """Book `had_bits`, but never more than `flow` has left."""
    had_bits = min(had_bits, flow.left_bits)
    flow.airtime_s += had_bits / flow.rate_bps
    flow.left_bits -= had_bits


class Pool:
    """Flows and their virtual time.

    `Flow.key` is V when the flow joined, `Flow.finish` its virtual finish. Whoever lets flows join or
    leave calls `run` before time goes on.
    """

    __slots__ = ("_first", "_heap", "_now_s", "_speed", "due_s", "live", "v", "weights")

    def __init__(self) -> None:
        self.due_s = inf
        self.live = 0
        self.v = 0.0
        self.weights = Sum()
        self._now_s = 0.0
        self._speed = (0.0, 1.0)
        self._first = 0.0
        self._heap: list[Entry] = []

    def advance(self, now_s: float) -> None:
        """Let V go on to `now_s`."""
        if now_s >= self.due_s:
            if self._first > self.v:
                self.v = self._first  # exactly: rounding must not leave a bit to send
        elif self.live and now_s > self._now_s:
            over, under = self._speed
            self.v += (now_s - self._now_s) * over / under
        self._now_s = now_s

    def join(self, flow: Flow) -> None:
        """Serve `flow` from now on."""
        drain = flow.rate_bps * flow.weight
        if self.coarse(flow, flow.rate_bps):
            self._rebase()
        flow.capped = False
        flow.key = self.v
        flow.finish = finish = self.v + flow.left_bits / drain
        heappush(self._heap, (finish, flow.order, flow.version, flow))
        self.weights.add(flow.weight)
        self.live += 1

    def leave(self, flow: Flow) -> None:
        """Serve `flow` no more, and book what it has had."""
        through = self.v >= flow.finish
        charge(flow, inf if through else (self.v - flow.key) * flow.weight * flow.rate_bps)
        self._forget(flow)

    def renew(self, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that it serves, none of them through, new rates: as if each left and joined anew."""
        v, entries = self.v, []
        for flow, rate_bps in rates_bps:
            had_bits = min((v - flow.key) * flow.weight * flow.rate_bps, flow.left_bits)
            flow.airtime_s += had_bits / flow.rate_bps
            flow.left_bits = left_bits = flow.left_bits - had_bits
            flow.rate_bps = rate_bps
            flow.key = v
            flow.finish = finish = v + left_bits / (rate_bps * flow.weight)
            flow.version = version = flow.version + 1
            entries.append((finish, flow.order, version, flow))
        if len(entries) < self.live:
            entries += [entry for entry in self._heap if entry[2] == entry[3].version]
        heapify(entries)
        self._heap = entries

    def coarse(self, flow: Flow, rate_bps: float) -> bool:
        """Return whether V is too large to tell the finish of `flow` at `rate_bps` from now."""
        return self.v > COARSE * flow.bits / (rate_bps * flow.weight) > 0.0

    def take_finished(self) -> list[Flow]:
        """Take out the flows that are through."""
        heap, through = self._heap, []
        while heap and heap[0][0] <= self.v:
            _, _, version, flow = heappop(heap)
            if version == flow.version:
                charge(flow, inf)
                self._forget(flow)
                through.append(flow)
        return through

    def waiting(self) -> list[Flow]:
        """Return the flows that have not been served yet."""
        return [
            flow for _, _, version, flow in self._heap if version == flow.version and flow.start_s is None
        ]

    def run(self, over: float, under: float) -> None:
        """Let V run at over / under, which is dV/dt, and bring `due_s` up to date."""
        self._speed = (over, under)
        if not self.live:  # idle: shed every rounding error
            self._heap.clear()
            self.v, self.due_s = 0.0, inf
            return
        shrink(self._heap, self.live)
        self._first = head(self._heap)
        ahead = self._first - self.v
        if ahead <= 0.0:
            self.due_s = self._now_s
        elif over > 0.0:
            self.due_s = self._now_s + ahead * under / over
        else:
            self.due_s = inf

    def _rebase(self) -> None:
        """Count V from 0 again: it has grown too large to tell a small flow's finish from now."""
        heap, zero = [], self.v
        for finish, order, version, flow in self._heap:
            if version == flow.version:
                flow.key -= zero
                flow.finish = finish - zero
                heap.append((flow.finish, order, version, flow))
        heapify(heap)
        self._heap = heap
        self.v = 0.0

    def _forget(self, flow: Flow) -> None:
        flow.version += 1
        flow.finish = inf
        self.live -= 1
        if self.live:
            self.weights.add(-flow.weight)
        else:
            self.weights = Sum()
