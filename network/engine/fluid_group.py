"""The flows of a fluid lane that take the same wires, by what would change their side. No clock here."""

from heapq import heappush
from math import inf

from slfac_sim.network.engine.even import Even
from slfac_sim.network.engine.flow import Routed
from slfac_sim.network.engine.lane import Group
from slfac_sim.network.engine.pool import Entry, Sum, head, shrink


class FluidGroup(Group):
    """A group of a `FluidLane`: of its flows some are free, some limited, and some at their caps.

    A flow's pace is its bit rate per level of the lane.
    """

    __slots__ = (
        "at_caps",
        "clock_s",
        "clocks",
        "falling",
        "heavy",
        "held",
        "light",
        "limited",
        "live",
        "paces",
        "slow",
        "totals",
        "wires",
    )

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(path)
        self.wires = range(len(path) - 1)
        self.live = 0
        self.limited = Even()
        self.falling: list[Entry] = []  # the free flows, the fastest first
        self.slow: list[Entry] = []  # the limited flows, the slowest first
        self.light: list[Entry] = []  # the limited flows that have a cap, the least first
        self.heavy: list[Entry] = []  # the flows at their caps, the highest first
        self.totals, self.paces, self.held, self.at_caps = ([Sum() for _ in self.wires] for _ in range(4))
        self.clocks = [0.0] * len(path)
        self.clock_s = 0.0

    def advance(self, now_s: float) -> None:
        """Let time go on to `now_s`, at the present limit."""
        self.limited.advance(now_s)
        self.clocks[self.bound] += now_s - self.clock_s
        self.clock_s = now_s

    def tell(self, level: float) -> None:
        """Say what the flows carry while the lane is at `level`."""
        limit = self.limit if self.limited.live else 0.0
        free = level if level < inf else 0.0
        for i in self.wires:
            self.uses[i] = self.totals[i].value
            self.rising[i] = rising = self.held[i].value
            self.free[i] = paces = self.paces[i].value
            self.carried[i] = self.at_caps[i].value + rising * limit + paces * free
        self.air = self.limited.weights.value
        self.fastest_bps = max(limit, -head(self.falling) * free if self.falling else 0.0, -head(self.heavy))

    def run(self) -> float:
        """Let time go on at the present limit; return when the first limited flow will be through."""
        for heap in (self.falling, self.slow, self.light, self.heavy):
            shrink(heap, self.live)
        self.limited.run(self.limit if self.limited.live else 0.0, 1.0)
        return self.limited.due_s

    def enter(self, flow: Routed) -> None:
        """Count `flow` among those that are served."""
        self.live += 1
        for total, use in zip(self.totals, flow.consumption[1:], strict=True):
            total.add(use)

    def leave(self, flow: Routed) -> None:
        """Count `flow` no more."""
        self.live -= 1
        for total, use in zip(self.totals, flow.consumption[1:], strict=True):
            total.add(-use)
        if not self.live:  # shed every rounding error
            self.totals = [Sum() for _ in self.wires]

    def let_free(self, flow: Routed) -> None:
        """Note that `flow` has joined the free flows of the lane."""
        flow.since_s = self.clock_s
        pace = flow.rate_bps * flow.weight
        heappush(self.falling, (-pace, flow.order, flow.version, flow))
        _add(self.paces, flow, pace)

    def hold(self, flow: Routed) -> None:
        """Serve `flow` at the limit."""
        self.limited.join(flow)
        flow.limited, flow.clocks = True, tuple(self.clocks)
        heappush(self.slow, (flow.rate_bps * flow.weight, flow.order, flow.version, flow))
        if flow.cap_bps < inf:
            heappush(self.light, (flow.cap_bps, flow.order, flow.version, flow))
        _add(self.held, flow, 1.0)

    def cap(self, flow: Routed) -> None:
        """Note that `flow` has joined those of the lane that are at their caps."""
        heappush(self.heavy, (-flow.cap_bps, flow.order, flow.version, flow))
        _add(self.at_caps, flow, flow.cap_bps)

    def book(self, flow: Routed, others: int) -> None:
        """Take out what `flow` used where it was, with so many others, and note what bound it there."""
        if flow.limited:
            for link, clock, before in zip(self.links, self.clocks, flow.clocks, strict=True):
                _note(flow, link, clock - before)
            _add(self.held, flow, -1.0, others)
        elif flow.capped:
            _add(self.at_caps, flow, -flow.cap_bps, others)
        else:
            _note(flow, self.links[0], self.clock_s - flow.since_s)
            _add(self.paces, flow, -flow.rate_bps * flow.weight, others)
        flow.limited = False


def _note(flow: Routed, link: str, for_s: float) -> None:
    if for_s > 0.0:
        flow.limited_s[link] = flow.limited_s.get(link, 0.0) + for_s


def _add(sums: list[Sum], flow: Routed, times: float, others: int = 1) -> None:
    """Add each use of `flow` `times`; shed every rounding error where nobody is left."""
    for i, use in enumerate(flow.consumption[1:]):
        if others:
            sums[i].add(times * use)
        else:
            sums[i] = Sum()
