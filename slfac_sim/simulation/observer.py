"""An observer stands between a protocol and its player and hears what is asked for and what comes of it.

It passes everything on as it is, and knows neither the protocol nor the player.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from slfac_sim.effects import Effect, Failure, Over, Task, Together


class Observer:
    """Hears every effect by its `task` and its number `seq` within it; does nothing of its own."""

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that `effect` is asked for."""

    def answered(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that it is done."""

    def failed(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that it could not be done."""

    def withdrawn(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that it is no longer waited for, since its task was closed."""

    def over(self, task: str, seq: int, failure: Failure | None) -> None:
        """Hear that a task has ended after `seq` effects, well or with a `failure`."""


def observed_by(observer: Observer, task: Task, path: str = "") -> Task:
    """Yield the effects of `task`, and have `observer` hear of it and of all tasks that it starts."""
    seq, answer = 0, None
    go_on: Callable[[Any], Any] = task.send
    try:
        while True:
            try:
                effect = go_on(answer)
            except StopIteration as stop:
                observer.over(path, seq, None)
                return stop.value
            except Over:
                observer.over(path, seq, None)
                raise
            except Failure as failure:
                observer.over(path, seq, failure)
                raise
            observer.asked(path, seq, effect)
            try:
                answer, go_on = (yield _observed_below(observer, effect, path, seq)), task.send
            except Failure as failure:
                observer.failed(path, seq, effect)
                answer, go_on = failure, task.throw
            except GeneratorExit:
                observer.withdrawn(path, seq, effect)
                raise
            else:
                observer.answered(path, seq, effect)
            seq += 1
    finally:
        task.close()


def _observed_below(observer: Observer, effect: Effect, path: str, seq: int) -> Effect:
    if not isinstance(effect, Together):
        return effect
    prefix = f"{path}/{seq}." if path else f"{seq}."
    tasks = [observed_by(observer, task, f"{prefix}{place}") for place, task in enumerate(effect.tasks)]
    return dataclasses.replace(effect, tasks=tasks)
