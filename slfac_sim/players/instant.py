"""The instant player: everything happens at once, in a fixed order; for learning without a clock, for tests.

Tasks of a `Together` take turns, one effect each. Nothing is ever late, so deadlines do not bite.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slfac_sim.effects import Compute, Note, Offer, Send, Task, Together


@dataclass
class _Strand:
    """A task under way and what it waits for."""

    task: Task
    finished: Callable[[Any], None]
    reply: Any = None


class InstantPlayer:
    """Performs a protocol without time. `heard` is called with every effect before it is performed."""

    def __init__(self, heard: Callable[[Any], None] = lambda effect: None) -> None:
        self._heard = heard
        self._ready: deque[_Strand] = deque()
        self._queues: dict[tuple[str, str], list[tuple[_Strand, Offer]]] = {}

    def play(self, protocol: Task) -> Any:
        """Run `protocol` to its end and return its result.

        Raises `RuntimeError` when it can never end, because an offer waits for others that never come.
        """
        result: list[Any] = []
        self._ready.append(_Strand(protocol, result.append))
        while self._ready:
            self._turn(self._ready.popleft())
        if not result:
            waiting = [key for key, queue in self._queues.items() if queue]
            raise RuntimeError(f"the protocol waits for offers that never come: {waiting}")
        return result[0]

    def _turn(self, strand: _Strand) -> None:
        try:
            effect = strand.task.send(strand.reply)
        except StopIteration as stop:
            strand.finished(stop.value)
            return
        self._heard(effect)
        match effect:
            case Compute():
                self._go_on(strand, effect.job())
            case Send() | Note():
                self._go_on(strand, None)
            case Together():
                self._together(strand, effect)
            case Offer():
                self._offer(strand, effect)

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

    def _offer(self, strand: _Strand, effect: Offer) -> None:
        queue = self._queues.setdefault((effect.host, effect.queue), [])
        queue.append((strand, effect))
        if len(queue) < effect.max_items:
            return
        served = sorted(self._queues.pop((effect.host, effect.queue)), key=lambda waiting: waiting[1].place)
        answers = effect.serve([offer.item for _, offer in served])
        for (waiting, _), answer in zip(served, answers, strict=True):
            self._go_on(waiting, answer)
