"""The instant player: everything happens at once, in a fixed order; for learning without a clock, for tests.

Tasks of a `Together` take turns, one effect each. Nothing is ever late and no host ever down, so deadlines
do not bite, and nothing fails but what fails by itself.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slfac_sim.effects import (
    Compute,
    Excuse,
    Failed,
    Failure,
    Note,
    Offer,
    Over,
    Present,
    Send,
    Task,
    Together,
)


@dataclass
class _Strand:
    """A task under way and what it waits for."""

    task: Task
    finished: Callable[[Any], None]
    reply: Any = None
    is_root: bool = False


@dataclass
class _Queue:
    """Offers that wait for each other; `excused` counts those that will not come."""

    waiting: list[tuple[_Strand, Offer]] = field(default_factory=list)
    excused: int = 0

    @property
    def complete(self) -> bool:
        """Whether it is to be served now."""
        return bool(self.waiting) and len(self.waiting) + self.excused >= self.waiting[0][1].max_items

    @property
    def patient(self) -> bool:
        """Whether it waits until all are there, however long that takes."""
        return not self.waiting or self.waiting[0][1].wait_s is None


class InstantPlayer:
    """Performs a protocol without time. `on_effect` is told every effect before it is performed."""

    def __init__(self, on_effect: Callable[[Any], None] = lambda effect: None) -> None:
        self._on_effect = on_effect
        self._ready: deque[_Strand] = deque()
        self._queues: dict[tuple[str, str], _Queue] = {}

    def play(self, protocol: Task) -> Any:
        """Run `protocol` to its end and return its result, None if it is `Over`.

        Raises `RuntimeError` when it can never end, because an offer waits for others that never come, and
        the `Failure` with which `protocol` ends.
        """
        result: list[Any] = []
        self._ready.append(_Strand(protocol, result.append, is_root=True))
        try:
            while self._ready or self._serve_impatient():
                self._turn(self._ready.popleft())
        except Over:
            return None
        if not result:
            waiting = [key for key, queue in self._queues.items() if queue.waiting]
            raise RuntimeError(f"the protocol waits for offers that never come: {waiting}")
        return result[0]

    def _turn(self, strand: _Strand) -> None:
        try:
            effect = strand.task.send(strand.reply)
        except StopIteration as stop:
            strand.finished(stop.value)
            return
        except Failure as failure:
            if strand.is_root:
                raise
            strand.finished(Failed(failure.reason))
            return
        self._on_effect(effect)
        match effect:
            case Compute():
                self._go_on(strand, effect.job())
            case Send():
                self._go_on(strand, effect.dst if isinstance(effect.dst, tuple) else (effect.dst,))
            case Note():
                self._go_on(strand, None)
            case Together():
                self._together(strand, effect)
            case Offer():
                self._queue(effect).waiting.append((strand, effect))
                self._serve_if_complete(effect)
            case Excuse():
                self._queue(effect).excused += 1
                self._go_on(strand, None)
                self._serve_if_complete(effect)
            case Present():
                self._go_on(strand, effect.hosts)

    def _go_on(self, strand: _Strand, reply: Any) -> None:
        strand.reply = reply
        self._ready.append(strand)

    def _together(self, strand: _Strand, effect: Together) -> None:
        results: list[Any] = [None] * len(effect.tasks)
        left = len(effect.tasks)

        def finisher(place: int) -> Callable[[Any], None]:
            def finished(value: Any) -> None:
                nonlocal left
                results[place] = value
                left -= 1
                if left == 0:
                    self._go_on(strand, results)

            return finished

        if not effect.tasks:
            self._go_on(strand, results)
        for place, task in enumerate(effect.tasks):
            self._ready.append(_Strand(task, finisher(place)))

    def _queue(self, effect: Offer | Excuse) -> _Queue:
        return self._queues.setdefault((effect.host, effect.queue), _Queue())

    def _serve_if_complete(self, effect: Offer | Excuse) -> None:
        if self._queue(effect).complete:
            self._serve((effect.host, effect.queue))

    def _serve_impatient(self) -> bool:
        """Serve the queue that has been the longest there of those that do not wait for ever, if any."""
        key = next((key for key, queue in self._queues.items() if not queue.patient), None)
        if key is not None:
            self._serve(key)
        return key is not None

    def _serve(self, key: tuple[str, str]) -> None:
        served = sorted(self._queues.pop(key).waiting, key=lambda waiting: waiting[1].place)
        answers = served[0][1].serve([offer.item for _, offer in served])
        for (waiting, _), answer in zip(served, answers, strict=True):
            self._go_on(waiting, answer)
