"""The simulated clock: SimPy's environment with a plain `now`, which is read several times an event.

At one instant work ends first, then limits cut off what is left of it, then hosts go down.
"""

from collections.abc import Generator
from heapq import heappop, heappush
from typing import Any

import simpy
from simpy.events import NORMAL, EventPriority

# Behind SimPy's URGENT (0) and NORMAL (1), and what the network settles last of all at an instant (2).
CUT_OFF = EventPriority(3)
GO_DOWN = EventPriority(4)

Steps = Generator[simpy.Event, Any, Any]
"""What a process of SimPy is made from."""


class Call(simpy.Event):
    """A call of `callback` after all that is to happen `delay_s` from now already."""

    _ok, _value = True, None

    def __init__(self, env: simpy.Environment, callback: Any, delay_s: float = 0.0) -> None:
        self.env = env
        self.callbacks = [callback]
        env.schedule(self, delay=delay_s)


def end_of_instant(env: simpy.Environment, rank: EventPriority) -> simpy.Event:
    """Return an event that happens at this instant once nothing else does that comes before `rank`."""
    event = simpy.Event(env)
    event._ok, event._value = True, None
    env.schedule(event, rank)
    return event


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
