"""A host on the simulated clock: one thing at a time, first asked, first served. It knows no protocol.

Event for event it is SimPy's `Resource` with a timeout, and costs less. A grant is an event of its
own, and so is what follows a release, so that ties are settled in the order of asking; both are left out
where nothing else happens at that instant, because then nothing could come between. (`sharing` has a host
that works on everything at once.)
"""

from collections import deque
from collections.abc import Callable, Sequence
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
