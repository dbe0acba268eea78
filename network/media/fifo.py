"""First in, first out: the whole medium for one transfer after the other, in the order of their start."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.contract import Sharing
from slfac_sim.network.engine import Flow, FluidShare, Share
from slfac_sim.network.media import Medium


@settings
class Fifo(Medium):
    """Everybody has its whole rate, and waits for those before it."""

    crowd_independent = True
    heeds_weights = False
    shared: ClassVar[Sharing] = Sharing(in_turn=True)

    def share(self, users: int, capacity: float) -> Share:
        """Return the medium; it takes any number of users."""
        return _Queue(capacity)


class _Queue:
    """A share (see `Share`): a flow in service stays there until it is through or has no rate.

    One of rate 0 keeps its place in the queue, and is passed over. O(1) but for those.
    """

    def __init__(self, capacity: float) -> None:
        self._server = FluidShare(capacity)  # of one flow at a time
        self._served: Flow | None = None
        self._queue: OrderedDict[Flow, None] = OrderedDict()  # a dict would step over all who have left

    @property
    def due_s(self) -> float:
        """When the flow in service will be through; infinite while there is none."""
        return self._server.due_s

    def start(self, now_s: float, flow: Flow) -> None:
        self._queue[flow] = None
        self._serve(now_s)

    def cancel(self, now_s: float, flow: Flow) -> None:
        if flow is self._served:
            self._release(now_s, flow)
        del self._queue[flow]
        self._serve(now_s)

    def set_rates(self, now_s: float, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows that take part new rates. A flow of rate 0 lets the next one be served."""
        for flow, rate_bps in rates_bps:
            if flow is not self._served:
                flow.rate_bps = rate_bps
                continue
            self._server.set_rates(now_s, [(flow, rate_bps)])
            if rate_bps <= 0.0 and self._server.due_s > now_s:  # otherwise its last bit has just left
                self._release(now_s, flow)
        self._serve(now_s)

    def set_capacity(self, now_s: float, capacity: float, link: str = "") -> None:
        self._server.set_capacity(now_s, capacity)

    def finish(self, now_s: float) -> list[Flow]:
        through = []
        while done := self._server.finish(now_s):
            self._served = None
            for flow in done:
                del self._queue[flow]
            through += done
            self._serve(now_s)
        return through

    def _serve(self, now_s: float) -> None:
        if self._served is None:
            self._served = next((flow for flow in self._queue if flow.rate_bps > 0.0), None)
            if self._served is not None:
                self._server.start(now_s, self._served)

    def _release(self, now_s: float, flow: Flow) -> None:
        self._server.cancel(now_s, flow)
        self._served = None
