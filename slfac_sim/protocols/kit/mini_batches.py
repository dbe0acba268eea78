"""A learner's mini-batches of a round, one after the other, whatever is done with each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Excuse, Failure, Note, Task

if TYPE_CHECKING:
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.participants import Device
    from slfac_sim.learning.whole import Trainee, WholeDevice

Exchange = Callable[[int, "Indices"], Task]
"""What is done with a mini-batch in a step (from 1) of the round; returns its `loss` and `correct`."""


def learn(
    learner: str,
    round_number: int,
    batches: Iterable[Indices],
    exchange: Exchange,
    excuses: Sequence[Excuse] = (),
) -> Task:
    """Have the host `learner` learn from `batches`, each in an `exchange`; returns samples and summed loss.

    If it fails it is excused by what is then left in `excuses` from all that would still wait for it.
    """
    samples, loss = 0, 0.0
    try:
        for step, batch in enumerate(batches, start=1):
            feedback = yield from exchange(step, batch)
            yield step_note(round_number, step, learner, len(batch), feedback)
            samples, loss = samples + len(batch), loss + feedback.loss * len(batch)
    except Failure:
        yield from excuses
        raise
    return samples, loss


def step_note(round_number: int, step: int, learner: str, samples: int, feedback: Any) -> Note:
    """Return the row of `steps` of one mini-batch."""
    seen = {"samples": samples, "loss": feedback.loss, "accuracy": feedback.correct / samples}
    return Note("steps", {"round": round_number, "step": step, "device": learner, **seen})


def batches_of(
    source: Device | Trainee, steps: int | None, round_number: int, epochs: int = 1
) -> Iterator[Indices]:
    """Yield the mini-batches of `source` in a round: `steps`, or `epochs` passes if that is None."""
    if steps is not None:
        return (source.next_batch() for _ in range(steps))
    first = (round_number - 1) * epochs
    return (batch for epoch in range(first, first + epochs) for batch in source.shard.epoch(epoch))


def steps_of(source: Device | WholeDevice | Trainee, steps: int | None, epochs: int = 1) -> int:
    """Return how many mini-batches `batches_of` yields."""
    return steps if steps is not None else epochs * source.shard.steps_per_epoch()
