"""Rounds of whole models: each device trains its own on its own samples, and the server averages them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Compute, Effect, Note, Task
from slfac_sim.protocols._averaged import averaged_round

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.batches import Indices, Shard
    from slfac_sim.learning.whole import Trainee
    from slfac_sim.protocols import Participants
    from slfac_sim.protocols.fedavg import FedAvg
    from slfac_sim.protocols.fedprox import FedProx


def federated_round(plan: FedAvg | FedProx, participants: Participants, number: int, model: Payload) -> Task:
    """One round of `plan`: models down, local training, models up, their mean; returns it and the shares."""

    def learning(devices: Sequence[Any]) -> Iterator[Task]:
        for device in devices:
            batches = batches_of(device.trainee, plan.steps, plan.local_epochs, number)
            yield train(device.name, device, number, batches)

    return (yield from averaged_round(participants, plan, number, model, learning))


def once(effect: Effect) -> Task:
    """Have `effect` done."""
    return (yield effect)


def train(
    host: str, pupil: Any, number: int, batches: Iterator[Indices], do: Callable[[Compute], Task] = once
) -> Task:
    """Have `pupil` (a device, or the server) learn on `host` from `batches`; returns samples and summed loss.

    `do` has a compute done.
    """
    work, trainee = pupil.work, pupil.trainee
    samples, total = 0, 0.0
    for step, batch in enumerate(batches, start=1):
        n = len(batch)
        forward = partial(trainee.forward, batch)
        answers = yield from do(Compute(host, n * work.device_forward_flops, forward, "forward"))
        backward = partial(trainee.backward, answers)
        yield from do(Compute(host, n * work.device_backward_flops, backward, "backward"))
        seen = {"samples": n, "loss": answers.loss, "accuracy": answers.correct / n}
        yield Note("steps", {"round": number, "step": step, "device": host, **seen})
        samples, total = samples + n, total + n * answers.loss
    return samples, total


def batches_of(trainee: Trainee, steps: int | None, epochs: int, number: int) -> Iterator[Indices]:
    """Yield the mini-batches of round `number`: `steps`, or `epochs` passes if that is None."""
    if steps is not None:
        return (trainee.next_batch() for _ in range(steps))
    first = (number - 1) * epochs
    return (batch for epoch in range(epochs) for batch in trainee.shard.epoch(first + epoch))


def steps_of(shard: Shard, steps: int | None, epochs: int) -> int:
    """Return how many mini-batches `batches_of` yields."""
    return steps if steps is not None else epochs * shard.steps_per_epoch()
