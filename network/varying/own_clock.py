"""A clock beside that of a simulation, for what goes on for ever without keeping the simulation alive."""

from collections.abc import Callable
from math import inf

import simpy
from simpy.events import EventPriority

from slfac_sim.network.engine import Call

_LAST = EventPriority(2)


class _Following(simpy.Environment):
    """Its present is never before `since_s`, when sums of delays are rounded to before that."""

    since_s = 0.0

    @property
    def now(self) -> float:
        """The present, in seconds."""
        if self._now < self.since_s:
            self._now = self.since_s
        return self._now


class OwnClock:
    """Keeps `env` in step with `outer`: to the instant while somebody waits (`awaited`), else when asked.

    As long as nobody waits, nothing of `env` is on the calendar of `outer`; it happens, each at its own
    time, when it is caught up with.
    """

    def __init__(self, outer: simpy.Environment, awaited: Callable[[], bool]) -> None:
        self.env = _Following(outer.now)
        self._outer, self._awaited = outer, awaited
        self._wake: simpy.Event | None = None
        self._wake_s = inf
        self._happening = False

    def catch_up(self) -> None:
        """Let happen what was to come before the present."""
        if not self._happening:
            while self.env.peek() < self._outer.now:
                self.env.step()
            self.env.since_s = self._outer.now

    def look_ahead(self) -> None:
        """Have the next thing happen at its time, if somebody waits."""
        at_s = self.env.peek()
        if not self._happening and at_s < self._wake_s and self._awaited():
            self._wake_s = at_s
            self._wake = Call(self._outer, at_s, self._on_wake, _LAST)

    def _on_wake(self, event: simpy.Event) -> None:
        if event is not self._wake:  # an earlier one took its place
            return
        self._wake, self._wake_s = None, inf
        env, now_s = self.env, self._outer.now
        self._happening, env.since_s = True, now_s
        try:
            while env.peek() <= now_s:
                env.step()
        finally:  # somebody may have run `outer` until what has just happened
            self._happening = False
            self.look_ahead()
