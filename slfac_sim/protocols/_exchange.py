"""One mini-batch, there and back, between a device and the server; the paper's figure, effect by effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Compute, Excuse, Failure, Note, Offer, Send, Task

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.halves import Feedback, Smashed
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@dataclass(frozen=True)
class Asked:
    """Smashed data on its way: what stays at home with the device, the body that was sent, and how many."""

    smashed: Smashed
    there: Payload
    samples: int


def exchange(participants: Participants, device: Device, batch: Indices, step: str, cohort: int) -> Task:
    """One mini-batch, there and back; returns the server's `Feedback`. `cohort` devices share the step."""
    asked, arrived = yield from bring(participants, device, batch)
    feedback = yield cohort_offer(participants, device, asked, arrived, f"cohort {step}", cohort)
    yield from answer(participants, device, asked, feedback)
    return feedback


def bring(participants: Participants, device: Device, batch: Indices) -> Task:
    """Bring a mini-batch to the server; returns `Asked` and what the server has decoded."""
    asked = yield from compress(device, batch)
    arrived = yield from carry(participants, device, asked)
    return asked, arrived


def compress(device: Device, batch: Indices) -> Task:
    """Have the device run a mini-batch up to the cut and encode what comes out; returns `Asked`."""
    cost, n = device.exchange, len(batch)
    smashed = yield Compute(
        device.name, n * cost.work.device_forward_flops, lambda: device.forward(batch), "forward"
    )
    there = yield Compute(device.name, n * cost.encode_up_flops, lambda: device.encode(smashed), "encode")
    return Asked(smashed, there, n)


def carry(participants: Participants, device: Device, asked: Asked) -> Task:
    """Send what the device has encoded; returns what the server has decoded."""
    server, there, labels = participants.server, asked.there, device.encode_labels(asked.smashed)
    yield Send(device.name, server.name, {"smashed_up": there, "labels": labels})
    return (
        yield Compute(
            server.name,
            asked.samples * device.exchange.decode_up_flops,
            lambda: server.decode(device.name, there.body, labels.body),
            "decode",
        )
    )


def cohort_offer(
    participants: Participants, device: Device, asked: Asked, arrived: Any, queue: str, cohort: int
) -> Offer:
    """Return the offer of what `arrived` to one batched step of the server over `cohort` devices."""
    server = participants.server
    flops = asked.samples * device.exchange.work.server_step_flops
    return Offer(server.name, queue, device.place, arrived, server.train, flops, cohort, "train")


def answer(participants: Participants, device: Device, asked: Asked, feedback: Feedback) -> Task:
    """Bring the gradient back to the device, which learns from it."""
    server, cost, n, there = participants.server, device.exchange, asked.samples, asked.there
    back = yield Compute(
        server.name,
        n * cost.encode_down_flops,
        lambda: server.encode(device.name, feedback, there.body),
        "encode",
    )
    yield Send(server.name, device.name, {"smashed_down": back})
    gradient = yield Compute(
        device.name, n * cost.decode_down_flops, lambda: device.decode(back.body, there.body), "decode"
    )
    yield Compute(
        device.name,
        n * cost.work.device_backward_flops,
        lambda: device.backward(asked.smashed.pending, gradient),
        "backward",
    )


def step_note(number: int, step: int, device: Device, samples: int, feedback: Feedback) -> Note:
    """Return the row of `steps` of one mini-batch."""
    seen = {"samples": samples, "loss": feedback.loss, "accuracy": feedback.correct / samples}
    return Note("steps", {"round": number, "step": step, "device": device.name, **seen})


def batches_of(device: Device, steps: int | None, number: int) -> Iterator[Indices]:
    """Yield the mini-batches of `device` in round `number`: `steps`, or one local epoch if that is None."""
    if steps is None:
        return iter(device.shard.epoch(number - 1))
    return (device.next_batch() for _ in range(steps))


def steps_of(device: Device, steps: int | None) -> int:
    """Return how many mini-batches `batches_of` yields."""
    return steps if steps is not None else device.shard.steps_per_epoch()


def cohort_sizes(lengths: Sequence[int]) -> list[int]:
    """Return, step by step, how many devices still have a batch when `lengths` are their numbers of steps."""
    return [sum(length > step for length in lengths) for step in range(max(lengths))]


def in_cohorts(
    participants: Participants,
    device: Device,
    number: int,
    batches: Iterator[Indices],
    cohorts: Sequence[int],
    group: str = "",
) -> Task:
    """Learn from `batches`, each in a step of as many devices as `cohorts` says.

    Returns the samples and their summed loss. A device that fails is excused from the cohorts to come,
    which are served without it. Where several groups learn in one round, `group` tells their cohorts apart.
    """
    samples, loss, answered = 0, 0.0, 0
    try:
        for step, (cohort, batch) in enumerate(zip(cohorts, batches, strict=False), start=1):
            asked, arrived = yield from bring(participants, device, batch)
            feedback = yield cohort_offer(
                participants, device, asked, arrived, _queue(number, step, group), cohort
            )
            answered = step
            yield from answer(participants, device, asked, feedback)
            yield step_note(number, step, device, len(batch), feedback)
            samples, loss = samples + len(batch), loss + feedback.loss * len(batch)
    except Failure:
        for step in range(answered + 1, len(cohorts) + 1):
            yield Excuse(participants.server.name, _queue(number, step, group))
        raise
    return samples, loss


def _queue(number: int, step: int, group: str) -> str:
    return f"cohort {number}{group}.{step}"
