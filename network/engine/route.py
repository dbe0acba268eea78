"""Flows that take the same way, at one level: each has its weight x that level, or its cap. No clock here.

Whatever their weights, caps and consumptions, the flows below their caps need one virtual clock, and heaps of
ceilings tell which of them a change of the level moves to its cap or away from it: nobody else is touched.
"""

from heapq import heappop, heappush
from math import inf

from slfac_sim.network.engine.flow import Flow, Routed
from slfac_sim.network.engine.fluid import Capped, ceiling
from slfac_sim.network.engine.pool import Entry, Pool, Sum, head, shrink


class Load:
    """What the flows of a route use of one link: `rising` x level + `held`."""

    __slots__ = ("held", "rising")

    def __init__(self) -> None:
        self.rising = Sum()
        self.held = Sum()


class Route:
    """The flows of one path: they rise with `level`, or are held at their caps below it.

    `loads` are theirs, one for each different link, in the order of the path. While a flow is here, its
    `rate_bps` is 1 and its `airtime_s` counts bits: so a pool serves flows of any consumption.
    """

    def __init__(self, path: tuple[str, ...], rank: int) -> None:
        self.path = path
        self.rank = rank
        self.version = 0
        self.level = inf
        self.ran = -inf  # the level at which time runs; minus infinity once its flows have changed
        self.due_s = inf
        self.links = tuple(dict.fromkeys(path))
        self.loads = [Load() for _ in self.links]
        self._of_path = [self.loads[self.links.index(name)] for name in path]
        self._now_s = 0.0
        self._rising = Pool()
        self._held = Capped()
        self._ceilings: list[Entry] = []  # of the rising flows that have a cap
        self._unserved: dict[Flow, None] = {}

    @property
    def live(self) -> int:
        """How many flows it has."""
        return self._rising.live + self._held.live

    @property
    def highest(self) -> float:
        """The highest ceiling of the held flows; minus infinity without any."""
        return -head(self._held.highest)

    @property
    def lowest(self) -> float:
        """The lowest ceiling of the rising flows; infinite where they have none."""
        return head(self._ceilings)

    def advance(self, now_s: float) -> None:
        """Let time go on to `now_s`, at the present level."""
        self._now_s = now_s
        self._rising.advance(now_s)

    def run(self, now_s: float) -> None:
        """Let virtual time run at the present level from now on, and bring `due_s` up to date."""
        self.advance(now_s)
        self.version += 1
        self.ran = self.level
        self._rising.run(self.level if self._rising.live else 0.0, 1.0)
        self.due_s = self._rising.due_s
        if self._held.live:
            self.due_s = min(self.due_s, self._held.due_s())
        shrink(self._ceilings, self._rising.live)
        if self._unserved and self.level > 0.0:
            for flow in self._unserved:
                flow.start_s = self._now_s
            self._unserved.clear()

    def join(self, flow: Routed) -> None:
        """Serve `flow` from now on."""
        self.ran = -inf
        flow.rate_bps = 1.0
        flow.airtime_s /= flow.consumption[0]
        if flow.start_s is None:
            self._unserved[flow] = None
        if flow.cap_bps < inf and ceiling(flow) <= self.level:
            self._hold(flow)
        else:
            self._let_rise(flow)

    def leave(self, flow: Routed) -> None:
        """Serve `flow` no more, and book what it has had."""
        if flow.capped:
            self._held.leave(self._now_s, flow)
        else:
            self._rising.leave(flow)
        self._unload(flow)
        _give_back(flow)
        self._unserved.pop(flow, None)

    def take_finished(self) -> list[Flow]:
        """Take out the flows that are through by now."""
        through = self._rising.take_finished()
        if self._held.live:
            through += self._held.take_finished(self._now_s)
        for flow in through:
            self._unload(flow)
            _give_back(flow)
            self._unserved.pop(flow, None)
        return through

    def split(self, level: float, now_s: float) -> None:
        """Have every flow on the right side of `level`."""
        while self.highest > level:
            self.release_highest(now_s)
        while self.lowest <= level < inf:
            self.hold_lowest(now_s)

    def release_highest(self, now_s: float) -> None:
        """Let the held flow of the highest ceiling rise."""
        self.advance(now_s)
        flow = heappop(self._held.highest)[3]
        self._held.leave(self._now_s, flow)
        self._unload(flow)
        self._let_rise(flow)

    def hold_lowest(self, now_s: float) -> None:
        """Hold the rising flow of the lowest ceiling."""
        self.advance(now_s)
        flow = heappop(self._ceilings)[3]
        self._rising.leave(flow)
        self._unload(flow)
        self._hold(flow)

    def _hold(self, flow: Flow) -> None:
        self._held.join(self._now_s, flow)
        for load, use in zip(self._of_path, _consumption(flow), strict=True):
            load.held.add(use * flow.cap_bps)

    def _let_rise(self, flow: Flow) -> None:
        self._rising.join(flow)
        if flow.cap_bps < inf:
            heappush(self._ceilings, (ceiling(flow), flow.order, flow.version, flow))
        for load, use in zip(self._of_path, _consumption(flow), strict=True):
            load.rising.add(use * flow.weight)

    def _unload(self, flow: Flow) -> None:
        self.ran = -inf
        for load, use in zip(self._of_path, _consumption(flow), strict=True):
            if flow.capped:
                load.held.add(-use * flow.cap_bps)
            else:
                load.rising.add(-use * flow.weight)
        if not self._rising.live:  # shed every rounding error
            for load in self.loads:
                load.rising = Sum()
        if not self._held.live:
            for load in self.loads:
                load.held = Sum()


def _consumption(flow: Flow) -> tuple[float, ...]:
    assert isinstance(flow, Routed)
    return flow.consumption


def _give_back(flow: Flow) -> None:
    use = _consumption(flow)[0]
    flow.rate_bps = 1.0 / use
    flow.airtime_s *= use
