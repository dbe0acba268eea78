"""Hosts on the simulated clock, which serve in turn or all at once; they know no protocol.

Event for event a `Host` is SimPy's `Resource` with a timeout, and costs less. A grant is an event of its
own, and so is what follows a release, so that ties are settled in the order of asking; both are left out
where nothing else happens at that instant, because then nothing could come between.
"""

from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

import simpy

from slfac_sim.hosts.slowdowns import Factor
from slfac_sim.simulation.clock import Call


class Turn(simpy.Event):
    """A stretch of a host's time: an event that happens when it is over.

    `asked_s` is when it was asked for and `start_s` when the host was free for it (until then, `asked_s`);
    `asker` is the process that asked. `worked_s` is the processor's time that it has had, once it is over.
    """

    _ok, _value = True, None  # as of a timeout: nothing can go wrong
    begun = False
    worked_s = 0.0

    def __init__(self, env: simpy.Environment, end: Callable[[simpy.Event], None], duration_s: float) -> None:
        self.env = env
        self.callbacks = [end]
        self.duration_s = duration_s
        self.asked_s = self.start_s = env.now
        self.asker = env.active_process


class Host:
    """One processor on the clock of `env`.

    `slowdown`, asked when a stretch begins, is what its duration is multiplied by.
    """

    def __init__(self, env: simpy.Environment, slowdown: Factor | None = None) -> None:
        self.env = env
        self._slowdown = slowdown
        self._begun = 0
        self._queue: deque[Turn] = deque()
        self._working_on: Turn | None = None

    @property
    def turns(self) -> Sequence[Turn]:
        """What it works on and what waits, in this order."""
        return ([] if self._working_on is None else [self._working_on]) + list(self._queue)

    def ask(self, duration_s: float) -> Turn:
        """Queue up for `duration_s` of its time, from now on."""
        turn = Turn(self.env, self.end, duration_s)
        if self._working_on is None and not self._queue and self.env.peek() > turn.asked_s:
            self._working_on = turn
            self._begin(turn)
        else:
            self._queue.append(turn)
            if self._working_on is None:
                self._grant()
        return turn

    def give_up(self, turn: Turn) -> None:
        """Let `turn` leave the queue, or the host if that works on it; the event then means nothing."""
        if turn is self._working_on:
            self.end(turn)
        else:
            self._queue.remove(turn)
            Call(self.env, self._grant)

    def end(self, turn: simpy.Event) -> None:
        """Free the host of `turn`, if it still works on it."""
        if turn is self._working_on:
            now_s = self.env.now
            turn.worked_s = now_s - turn.start_s
            self._working_on = None
            if self._queue or self.env.peek() <= now_s:
                Call(self.env, self._grant)

    def _grant(self, _: Any = None) -> None:
        if self._working_on is None and self._queue:
            turn = self._working_on = self._queue.popleft()
            if self.env.peek() > self.env.now:
                self._begin(turn)
            else:
                Call(self.env, lambda _: self._begin(turn))

    def _begin(self, turn: Turn) -> None:
        if turn is self._working_on:  # not given up since it was granted
            turn.start_s = self.env.now
            turn.begun = True
            if self._slowdown is not None:
                turn.duration_s *= self._slowdown(turn.start_s, self._begun, turn.duration_s)
                self._begun += 1
            self.env.schedule(turn, delay=turn.duration_s)


class SharedHost:
    """A processor on the clock of `env` that works on everything at once, in equal shares.

    Processor sharing (L. Kleinrock, "Queueing Systems", volume 2, 1976, section 4.4): with n stretches under
    way each advances at 1/n of the processor's speed. Virtual time runs at that speed, so a stretch ends when
    virtual time has run on by its duration; whoever comes or goes changes the speed, and nobody's end in
    virtual time.

    It has the verbs of `Host`. What comes, ends or is given up costs O(log n). `slowdown` is as there; a
    stretch begins when it is asked for.
    """

    def __init__(self, env: simpy.Environment, slowdown: Factor | None = None) -> None:
        self.env = env
        self._slowdown = slowdown
        self._asked = 0
        self._virtual_s = 0.0
        self._at_s = env.now
        self._begun_at: dict[Turn, float] = {}  # virtual time at which each stretch under way began
        self._ends: list[tuple[float, int, Turn]] = []  # in virtual time; given-up ones stay until met
        self._wake: Call | None = None

    @property
    def turns(self) -> Sequence[Turn]:
        """What it works on, in the order of asking."""
        return list(self._begun_at)

    def ask(self, duration_s: float) -> Turn:
        """Begin at once with what takes `duration_s` alone."""
        self._advance()
        if not self._begun_at:  # idle: virtual time begins anew, so that its rounding does not grow
            self._virtual_s = 0.0
            self._ends.clear()
        turn = Turn(self.env, _ignore, duration_s)
        turn.begun = True
        if self._slowdown is not None:
            turn.duration_s *= self._slowdown(self.env.now, self._asked, turn.duration_s)
        self._begun_at[turn] = self._virtual_s
        heappush(self._ends, (self._virtual_s + turn.duration_s, self._asked, turn))
        self._asked += 1
        self._arm()
        return turn

    def give_up(self, turn: Turn) -> None:
        """Work no longer on `turn`; the event then means nothing. What is over already is left alone."""
        if turn in self._begun_at:
            self._advance()
            turn.worked_s = self._virtual_s - self._begun_at.pop(turn)
            self._arm()

    def _advance(self) -> None:
        """Bring virtual time up to the present."""
        if self._begun_at:
            self._virtual_s += (self.env.now - self._at_s) / len(self._begun_at)
        self._at_s = self.env.now

    def _arm(self) -> None:
        """Have the host woken when the first stretch is over; an earlier wake-up then means nothing."""
        while self._ends and self._ends[0][2] not in self._begun_at:
            heappop(self._ends)
        self._wake = None
        if self._ends:
            left_s = max(self._ends[0][0] - self._virtual_s, 0.0) * len(self._begun_at)
            self._wake = Call(self.env, self._on_wake, left_s)

    def _on_wake(self, wake: simpy.Event) -> None:
        """End what is over. Virtual time is then what it was to be, whatever rounding made of it."""
        if wake is not self._wake:
            return
        self._advance()
        self._virtual_s = self._ends[0][0]
        while self._ends and (self._ends[0][0] <= self._virtual_s or self._ends[0][2] not in self._begun_at):
            turn = heappop(self._ends)[2]
            if self._begun_at.pop(turn, None) is not None:
                turn.worked_s = turn.duration_s
                self.env.schedule(turn)
        self._arm()


def _ignore(_: simpy.Event) -> None:
    """Nothing waits for a stretch of shared time to end."""
