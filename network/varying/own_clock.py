"""A clock beside that of a simulation, for what goes on for ever without keeping the simulation alive."""

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf

import simpy
from simpy.events import NORMAL, EventPriority

from slfac_sim.network.engine import Call, delay_until

_LAST = EventPriority(2)


class _Following(simpy.Environment):
    """Its present is never before `since_s`, when sums of delays are rounded to before that."""

    now = 0.0

    def __init__(self, now_s: float) -> None:
        super().__init__(now_s)
        self.now = self._since_s = now_s

    def schedule(self, event: simpy.Event, priority: EventPriority = NORMAL, delay: float = 0.0) -> None:
        """Have `event`, which never fails, happen `delay` seconds from now."""
        heappush(self._queue, (self.now + delay, priority, next(self._eid), event))

    def step(self) -> None:
        """Let the next event happen. Raises `IndexError` if there is none."""
        at_s, _, _, event = heappop(self._queue)
        self.now = at_s if at_s > self._since_s else self._since_s
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)

    def go_on_to(self, now_s: float) -> None:
        """Have the present be `now_s`, whatever was to happen until then."""
        self._since_s = now_s
        self.now = max(self.now, now_s)


class OwnClock:
    """Keeps `env` in step with `outer`, as far as can be told from there.

    As long as nobody waits (`awaited`), nothing of `env` is on the calendar of `outer`; it happens, each at
    its own time, when it is caught up with. While somebody waits, `env` runs ahead of `outer`, but neither
    past what is heard there (`hear`), nor past what comes next there, on its calendar or by `next_s`: from
    that may come anything.
    """

    def __init__(self, outer: simpy.Environment, awaited: Callable[[], bool]) -> None:
        self.env = _Following(outer.now)
        self.next_s: Callable[[], float] = lambda: inf
        self._outer, self._awaited = outer, awaited
        self._heard: list[float] = []
        self._limit_s = inf
        self._wake: simpy.Event | None = None
        self._wake_s = inf
        self._happening = False

    def hear(self, at_s: float, callback: Callable[[simpy.Event], None]) -> None:
        """Have `callback` called at `at_s`, when `outer` is there too."""
        heard_s = self.env.now + delay_until(self.env.now, at_s)
        heappush(self._heard, heard_s)
        self._limit_s = min(self._limit_s, heard_s)
        Call(self.env, at_s, callback)

    def catch_up(self) -> None:
        """Let happen what was to come before the present."""
        if not self._happening:
            env, now_s = self.env, self._outer.now
            while env.peek() < now_s:
                env.step()
            env.go_on_to(now_s)

    def look_ahead(self) -> None:
        """Have the next thing happen at its time, if somebody waits."""
        at_s, ahead_s, now_s = self.env.peek(), self.env.now, self._outer.now
        if not self._happening and at_s < self._wake_s and self._awaited():
            self._wake_s = ahead_s if at_s > 2.0 * now_s < 2.0 * ahead_s else at_s
            self._wake = Call(self._outer, self._wake_s, self._on_wake, _LAST)

    def _on_wake(self, event: simpy.Event) -> None:
        if event is not self._wake:  # an earlier one took its place
            return
        self._wake, self._wake_s = None, inf
        self._happening, goes_on = True, True
        try:
            self._happen(self._outer.now)
            goes_on = self._run_ahead()
        finally:  # somebody may have run `outer` until what has just happened
            self._happening = False
            if goes_on:
                self.look_ahead()
            else:
                Call(self._outer, self.env.now, lambda _: None)

    def _happen(self, now_s: float) -> None:
        env, heard = self.env, self._heard
        env.go_on_to(now_s)
        while env.peek() <= now_s:
            env.step()
        while heard and heard[0] <= now_s:
            heappop(heard)

    def _run_ahead(self) -> bool:
        """Let happen what `outer` cannot tell from its happening later, and say whether somebody still waits.

        Twice the present is far enough: up to there, the difference of two times is exact.
        """
        env, now_s = self.env, self._outer.now
        heard_s = self._heard[0] if self._heard else inf
        self._limit_s = min(heard_s, self._outer.peek(), self.next_s(), 2.0 * now_s)
        at_s = env.peek()
        while at_s < self._limit_s:
            if not self._awaited():
                return False
            while env.peek() == at_s < self._limit_s:
                env.step()
            at_s = env.peek()
        return True
