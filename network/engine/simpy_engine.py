"""The shares on a SimPy clock: one wake-up for all of them, and one solve per instant. It knows no bytes.

Everything that happens at one instant is settled once, after all ordinary events of that instant:
rates and capacities first, then completions, then arrivals. There is no process per flow.
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from math import inf, nextafter
from operator import attrgetter

import simpy
from simpy.events import NORMAL, EventPriority

from slfac_sim.network.engine.flow import Flow, Share
from slfac_sim.network.engine.profiles import Varying

_LAST = EventPriority(2)  # behind SimPy's URGENT (0) and NORMAL (1) at the same instant

Done = Callable[[Flow], None]
_rank = attrgetter("rank")


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
        env.schedule(self, rank, delay_until(env.now, at_s))


def delay_until(now_s: float, at_s: float) -> float:
    """Return the delay from `now_s` to `at_s`, or to an ulp later, never to one earlier."""
    delay_s = at_s - now_s if at_s > now_s else 0.0
    if now_s + delay_s < at_s:  # the rounded sum may fall short of at_s; one ulp of delay mends it
        return nextafter(delay_s, inf)
    return delay_s


class Followed:
    """A profile that a share follows; the share's capacity is that of the profile until `until_s`."""

    __slots__ = ("link", "profile", "until_s")

    def __init__(self, profile: Varying, link: str) -> None:
        self.profile = profile
        self.link = link
        self.until_s = -inf


class ShareState:
    """A share at an engine: its rank (by first use), how many flows it has, what it follows."""

    __slots__ = ("due_s", "flows", "followed", "rank", "share")

    def __init__(self, share: Share, rank: int) -> None:
        self.share = share
        self.rank = rank
        self.flows = 0
        self.due_s = inf
        self.followed: list[Followed] = []


class Agenda:
    """When each state's share is due. What was noted earlier of a state is out of date and gets lost."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, ShareState]] = []
        self._limit = 16

    def note(self, state: ShareState) -> None:
        """Note the present `due_s` of the share of `state`."""
        state.due_s = state.share.due_s
        if state.due_s < inf:
            heappush(self._entries, (state.due_s, state.rank, state))
            if len(self._entries) > self._limit:
                self._entries = [entry for entry in self._entries if entry[0] == entry[2].due_s]
                heapify(self._entries)
                self._limit = 2 * len(self._entries) + 16

    def first_s(self) -> float:
        """Return when the first share is due, infinite when none is."""
        entries = self._entries
        while entries and entries[0][0] != entries[0][2].due_s:
            heappop(entries)
        return entries[0][0] if entries else inf

    def take(self, now_s: float) -> list[ShareState]:
        """Take out the states whose shares are due by now."""
        entries, states = self._entries, []
        while entries and entries[0][0] <= now_s:
            due_s, _, state = heappop(entries)
            if due_s == state.due_s:
                states.append(state)
        return states


class Engine:
    """All flows of one network. A flow's `done` is called at the instant of its last bit.

    `solves` counts reallocations, `events` the starts, ends and changes of capacity that caused them.
    """

    def __init__(self, env: simpy.Environment) -> None:
        self.solves = 0
        self.events = 0
        self._env = env
        self._states: dict[Share, ShareState] = {}
        self._where: dict[Flow, tuple[ShareState, Done]] = {}
        self._arrivals: dict[Flow, None] = {}
        self._through: dict[Flow, Done] = {}
        self._dirty: dict[ShareState, None] = {}
        self._agenda = Agenda()
        self._solving = False
        self._wake: simpy.Event | None = None
        self._wake_s = inf

    def start(self, share: Share, flow: Flow, done: Done) -> None:
        """Let `flow` take part in `share` from this instant on."""
        state = self._states.get(share) or self._new_state(share)
        state.flows += 1
        self._where[flow] = (state, done)
        self._arrivals[flow] = None
        self._changed(state)

    def cancel(self, flow: Flow) -> None:
        """Take `flow` out at once; its `done` will not be called. Raises `KeyError` if it is not in."""
        if self._through.pop(flow, None):  # its last bit left at this very instant
            return
        state, _ = self._where.pop(flow)
        state.flows -= 1
        if flow in self._arrivals:
            del self._arrivals[flow]
        else:
            state.share.cancel(self._env.now, flow)
            self._changed(state)

    def set_rates(self, rates_bps: Iterable[tuple[Flow, float]]) -> None:
        """Give flows new rates, all in one reallocation."""
        changes: dict[ShareState, list[tuple[Flow, float]]] = {}
        for flow, rate_bps in rates_bps:
            if flow in self._arrivals:
                flow.rate_bps = rate_bps
            elif flow not in self._through:  # otherwise its last bit left at this very instant
                changes.setdefault(self._where[flow][0], []).append((flow, rate_bps))
        for state, pairs in changes.items():
            state.share.set_rates(self._env.now, pairs)
            self._changed(state)

    def left_bits(self, flow: Flow) -> float:
        """Return what is left now of the bits of `flow`, which goes on; 0 if the last one has just left."""
        if flow in self._arrivals:
            return flow.left_bits
        if flow in self._where and self._where[flow][0].share.due_s <= self._env.now:
            self._solve()  # it may be among those that are through
        if flow not in self._where:
            return 0.0
        share, rate_bps = self._where[flow][0].share, flow.rate_bps
        share.set_rates(self._env.now, [(flow, 0.0), (flow, rate_bps)])  # at one instant: it keeps its turn
        self._changed(self._where[flow][0])
        return flow.left_bits

    def set_capacity(self, share: Share, capacity: float, link: str = "") -> None:
        """Change the capacity of `share`, or of one of its links."""
        share.set_capacity(self._env.now, capacity, link)
        self.events += 1
        self._changed(self._states.get(share) or self._new_state(share))

    def follow(self, share: Share, profile: Varying, link: str = "") -> None:
        """Keep the capacity of `share`, or of one of its links, at the present value of `profile`.

        Changes are taken one at a time, and only while the share has flows: with none it is left
        alone, and brought up to date when the next one arrives.
        """
        state = self._states.get(share) or self._new_state(share)
        state.followed.append(Followed(profile, link))
        if state.flows:
            self._catch_up(state)

    def _new_state(self, share: Share) -> ShareState:
        state = self._states[share] = ShareState(share, len(self._states))
        return state

    def _catch_up(self, state: ShareState) -> None:
        """Bring the capacities of `state` up to date, and put their next changes on the clock."""
        now_s = self._env.now
        for followed in state.followed:
            if followed.until_s <= now_s:
                self.set_capacity(state.share, followed.profile.at(now_s), followed.link)
                followed.until_s = followed.profile.next_s(now_s)
                if followed.until_s < inf:
                    Call(self._env, followed.until_s, lambda _: self._on_change(state))

    def _on_change(self, state: ShareState) -> None:
        if state.flows:  # otherwise the next arrival will see to it
            self._catch_up(state)

    def _changed(self, state: ShareState) -> None:
        self._dirty[state] = None
        if not self._solving:
            self._solving = True
            Call(self._env, self._env.now, self._solve, _LAST)

    def _on_wake(self, event: simpy.Event) -> None:
        if event is self._wake:  # otherwise an earlier one took its place
            self._wake, self._wake_s = None, inf
            if not self._solving:
                self._solve()

    def _solve(self, _: simpy.Event | None = None) -> None:
        """Settle this instant: completions, what they call, arrivals; then look ahead."""
        now_s, dirty = self._env.now, self._dirty
        self._solving = True  # so that a change made by a `done` is settled here and now
        for due in self._agenda.take(now_s):
            dirty[due] = None
        for state in sorted(dirty, key=_rank) if len(dirty) > 1 else list(dirty):
            for flow in state.share.finish(now_s):
                self._through[flow] = self._where.pop(flow)[1]
                state.flows -= 1
        while self._through:
            flow = next(iter(self._through))
            self.events += 1
            self._through.pop(flow)(flow)
        if self._arrivals:
            self._begin(now_s)
        self._dirty, self._solving = {}, False
        for state in dirty:
            self._agenda.note(state)
        self.solves += 1
        self._arm()

    def _begin(self, now_s: float) -> None:
        arrivals, self._arrivals = self._arrivals, {}
        self.events += len(arrivals)
        for flow in arrivals:
            state = self._where[flow][0]
            if state.followed:
                self._catch_up(state)
            state.share.start(now_s, flow)

    def _arm(self) -> None:
        """Have the engine woken when the first share is due. A wake-up that comes too early re-arms."""
        first_s = self._agenda.first_s()
        if first_s < self._wake_s:
            self._wake_s = first_s
            self._wake = Call(self._env, first_s, self._on_wake, _LAST)
