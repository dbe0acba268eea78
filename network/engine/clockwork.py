"""The shares on a SimPy clock: one wake-up for all of them, and one solve per instant. It knows no bytes.

Everything that happens at one instant is settled once, after all ordinary events of that instant:
rates and capacities first, then completions, then arrivals. There is no process per flow.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from math import inf, nextafter

import simpy
from simpy.events import NORMAL, EventPriority

from slfac_sim.network.engine.flow import Flow, Share

_LAST = EventPriority(2)  # behind SimPy's URGENT (0) and NORMAL (1) at the same instant

Done = Callable[[Flow], None]


class Call(simpy.Event):
    """A call of `callback` at `at_s`, never an ulp earlier; `rank` orders what happens at one instant."""

    _ok, _value = True, None  # as of a timeout: nothing can go wrong

    def __init__(
        self,
        env: simpy.Environment,
        at_s: float,
        callback: Callable[[simpy.Event], None],
        rank: EventPriority = NORMAL,
    ) -> None:
        self.env = env
        self.callbacks = [callback]
        now_s = env.now
        delay_s = at_s - now_s if at_s > now_s else 0.0
        if now_s + delay_s < at_s:  # the rounded sum may fall short of at_s; one ulp of delay mends it
            delay_s = nextafter(delay_s, inf)
        env.schedule(self, rank, delay_s)


class Engine:
    """All flows of one network. A flow's `done` is called at the instant of its last bit."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._rank: dict[Share, int] = {}
        self._where: dict[Flow, tuple[Share, Done]] = {}
        self._arrivals: dict[Flow, None] = {}
        self._dirty: dict[Share, None] = {}
        self._dues: list[tuple[float, int, Share]] = []
        self._solving: simpy.Event | None = None
        self._wake: simpy.Event | None = None
        self._wake_s = inf

    def start(self, share: Share, flow: Flow, done: Done) -> None:
        """Let `flow` take part in `share` from this instant on."""
        self._rank.setdefault(share, len(self._rank))
        self._where[flow] = (share, done)
        self._arrivals[flow] = None
        self._changed(share)

    def cancel(self, flow: Flow) -> None:
        """Take `flow` out at once; its `done` will not be called. Raises `KeyError` if it is not in."""
        share, _ = self._where.pop(flow)
        if flow in self._arrivals:
            del self._arrivals[flow]
        else:
            share.cancel(self._env.now, flow)
            self._changed(share)

    def set_rates(self, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows new rates, all in one reallocation."""
        changes: dict[Share, list[tuple[Flow, float]]] = {}
        for flow, rate_bps in rates_bps:
            if flow in self._arrivals:
                flow.rate_bps = rate_bps
            else:
                changes.setdefault(self._where[flow][0], []).append((flow, rate_bps))
        for share, pairs in changes.items():
            share.set_rates(self._env.now, pairs)
            self._changed(share)

    def set_capacity(self, share: Share, capacity: float) -> None:
        """Change the capacity of `share`."""
        self._rank.setdefault(share, len(self._rank))
        share.set_capacity(self._env.now, capacity)
        self._changed(share)

    def _changed(self, share: Share) -> None:
        self._dirty[share] = None
        if self._solving is None:
            self._solving = Call(self._env, self._env.now, self._on_solve, _LAST)

    def _on_solve(self, _: simpy.Event) -> None:
        self._solving = None
        self._solve()

    def _on_wake(self, event: simpy.Event) -> None:
        if event is self._wake:  # otherwise an earlier one took its place
            self._wake, self._wake_s = None, inf
            if self._solving is None:
                self._solve()

    def _solve(self) -> None:
        now_s = self._env.now
        while self._dues and self._dues[0][0] <= now_s:
            self._dirty[heappop(self._dues)[2]] = None
        shares = sorted(self._dirty, key=self._rank.__getitem__)
        through = [flow for share in shares for flow in share.finish(now_s)]
        for flow in self._arrivals:
            self._where[flow][0].start(now_s, flow)
        self._arrivals, self._dirty = {}, {}
        for share in shares:
            if share.due_s < inf:
                heappush(self._dues, (share.due_s, self._rank[share], share))
        self._arm()
        for flow in through:
            _, done = self._where.pop(flow)
            done(flow)

    def _arm(self) -> None:
        """Have the engine woken for the first completion. A wake-up that comes too early re-arms."""
        while self._dues and self._dues[0][0] != self._dues[0][2].due_s:
            heappop(self._dues)
        if self._dues and self._dues[0][0] < self._wake_s:
            self._wake_s = self._dues[0][0]
            self._wake = Call(self._env, self._wake_s, self._on_wake, _LAST)
