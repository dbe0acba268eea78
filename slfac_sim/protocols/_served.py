"""One device's mini-batches of a round, served by the server one way or another. It knows no average."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Compute, Excuse, Failure, Offer, Task
from slfac_sim.protocols._exchange import Asked, answer, bring, step_note

if TYPE_CHECKING:
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants

Served = Callable[[int, Asked, Any], Task]
"""What becomes of a mini-batch that has arrived, by its step: the device learns; returns the `Feedback`."""


def learn(
    participants: Participants, device: Device, number: int, batches: Iterable[Indices], served: Served
) -> Task:
    """Learn from `batches`, each `served` when it has arrived; returns samples and summed loss."""
    samples, loss = 0, 0.0
    for step, batch in enumerate(batches, start=1):
        asked, arrived = yield from bring(participants, device, batch)
        feedback = yield from served(step, asked, arrived)
        yield step_note(number, step, device, len(batch), feedback)
        samples, loss = samples + len(batch), loss + feedback.loss * len(batch)
    return samples, loss


def learn_in_step(
    participants: Participants,
    device: Device,
    number: int,
    batches: Iterable[Indices],
    steps: int,
    offered: Callable[[int, Asked, Any], Offer],
    responded: Callable[[int, Asked, Any, Any], Task],
) -> Task:
    """Learn in step with other devices: each of `steps` mini-batches is `offered` to a queue where all wait.

    Once it is answered, by `got`, `responded(step, asked, arrived, got)` goes on; it returns the `Feedback`.
    A device that fails is excused from the queues to come.
    """
    passed = 0

    def served(step: int, asked: Asked, arrived: Any) -> Task:
        nonlocal passed
        got = yield offered(step, asked, arrived)
        passed = step
        return (yield from responded(step, asked, arrived, got))

    try:
        return (yield from learn(participants, device, number, batches, served))
    except Failure:
        for step in range(passed + 1, steps + 1):
            yield Excuse(participants.server.name, queue_of(number, step))
        raise


def alone(
    participants: Participants,
    device: Device,
    train: Callable[[Any], Any],
    step: int,
    asked: Asked,
    arrived: Any,
) -> Task:
    """Have the server `train` on one mini-batch by itself, and bring back the gradient; as `Served`."""
    work = asked.samples * device.exchange.work.server_step_flops
    feedback = yield Compute(participants.server.name, work, partial(train, arrived), "train")
    yield from answer(participants, device, asked, feedback)
    return feedback


def queue_of(number: int, step: int) -> str:
    """Return the name of the queue in which devices wait for each other in `step` of round `number`."""
    return f"cohort {number}.{step}"
