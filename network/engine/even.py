"""Flows of one bit rate, whatever their rates alone and their weights. No clock here."""

from heapq import heappush
from math import inf

from slfac_sim.network.engine.flow import Flow
from slfac_sim.network.engine.pool import COARSE, Pool, Sum, charge


class Even(Pool):
    """A pool whose virtual time counts the bits that each flow has been given.

    `weights` is the part of the medium that they take together for each bit/s.
    """

    __slots__ = ()

    def join(self, flow: Flow) -> None:
        """Serve `flow` from now on."""
        if self.v > COARSE * flow.bits > 0.0:
            self._rebase()
        flow.capped = False
        flow.key = self.v
        flow.finish = finish = self.v + flow.left_bits
        heappush(self._heap, (finish, flow.order, flow.version, flow))
        self.weights.add(1.0 / flow.rate_bps)
        self.live += 1

    def leave(self, flow: Flow) -> None:
        """Serve `flow` no more, and book what it has had."""
        charge(flow, inf if self.v >= flow.finish else self.v - flow.key)
        self._forget(flow)

    def _forget(self, flow: Flow) -> None:
        flow.version += 1
        flow.finish = inf
        self.live -= 1
        if self.live:
            self.weights.add(-1.0 / flow.rate_bps)
        else:
            self.weights = Sum()
