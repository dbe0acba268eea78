"""The simulated clock: SimPy's environment with a plain `now`, which is read several times an event."""

from heapq import heappop, heappush

import simpy
from simpy.events import NORMAL, EventPriority


class Clock(simpy.Environment):
    """Events happen in SimPy's order: by time, priority, and who was scheduled first."""

    now = 0.0

    def schedule(self, event: simpy.Event, priority: EventPriority = NORMAL, delay: float = 0.0) -> None:
        """Have `event` happen `delay` seconds from now."""
        heappush(self._queue, (self.now + delay, priority, next(self._eid), event))

    def step(self) -> None:
        """Let the next event happen. Raises `EmptySchedule` if there is none, and what nobody defused."""
        try:
            self.now, _, _, event = heappop(self._queue)
        except IndexError:
            raise simpy.core.EmptySchedule from None
        callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
        for callback in callbacks:
            callback(event)
        if not event._ok and not event.defused:
            raise event._value
