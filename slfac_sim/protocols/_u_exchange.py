"""One mini-batch of a device that keeps its labels: four messages, and two meetings of the cohort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from slfac_sim.effects import Compute, Excuse, Failure, Offer, Send, Task
from slfac_sim.protocols._exchange import step_note

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload, Tensor
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.halves import Feedback, Smashed
    from slfac_sim.learning.u_shape import Middle, UDevice, UServer


def in_cohorts(
    server: UServer,
    device: UDevice,
    number: int,
    batches: Iterator[Indices],
    cohorts: Sequence[int],
) -> Task:
    """Learn from `batches`, each in step with as many devices as `cohorts` says.

    Returns the samples and their summed loss. A device that fails is excused from all that still waits for
    it: a cohort whose body has seen its smashed data then steps without its gradient.
    """
    samples, loss = 0, 0.0
    waiting = [
        _queue(way, number, step) for step in range(1, len(cohorts) + 1) for way in ("forward", "backward")
    ]
    try:
        for step, (cohort, batch) in enumerate(zip(cohorts, batches, strict=False), start=1):
            feedback = yield from exchange(server, device, batch, waiting, cohort)
            yield step_note(number, step, device, len(batch), feedback)
            samples, loss = samples + len(batch), loss + feedback.loss * len(batch)
    except Failure:
        for queue in waiting:
            yield Excuse(server.name, queue)
        raise
    return samples, loss


def exchange(server: UServer, device: UDevice, batch: Indices, waiting: list[str], cohort: int) -> Task:
    """One mini-batch through head, body and tail, and back; returns the device's own `Feedback`.

    `waiting` are the names of the queues that are still to come, this batch's two first; they are taken
    from it as the server answers.
    """
    n, work = len(batch), device.exchange.work
    smashed = yield Compute(
        device.name, n * work.device_forward_flops, lambda: device.forward(batch), "forward"
    )
    there, arrived = yield from _up(server, device, smashed, n)
    middle = yield _meeting(server, device, waiting[0], arrived, n, cohort, "forward")
    waiting.pop(0)
    out, activations = yield from _down(server, device, middle, n)
    feedback = yield Compute(
        device.name,
        n * (device.inner.work.device_forward_flops + device.inner.work.device_backward_flops),
        lambda: device.judge(activations, smashed),
        "tail",
    )
    gradient = yield from _gradient_up(server, device, feedback, out, n)
    own = yield _meeting(server, device, waiting[0], (middle, gradient), n, cohort, "backward")
    waiting.pop(0)
    answer = yield from _gradient_down(server, device, own, there, n)
    yield Compute(
        device.name,
        n * work.device_backward_flops,
        lambda: device.backward(smashed.pending, answer),
        "backward",
    )
    return feedback


def _up(server: UServer, device: UDevice, smashed: Smashed, n: int) -> Task:
    """Bring the activations of the head to the server; returns what was sent and what arrived."""
    cost = device.exchange
    sent = yield Compute(device.name, n * cost.encode_up_flops, lambda: device.encode(smashed), "encode")
    yield Send(device.name, server.name, {"smashed_up": sent})
    arrived = yield Compute(
        server.name, n * cost.decode_up_flops, lambda: server.decode(device.name, sent.body), "decode"
    )
    return sent, arrived


def _down(server: UServer, device: UDevice, middle: Middle, n: int) -> Task:
    """Bring the activations of the body to the device; returns what was sent and what arrived."""
    cost = device.inner
    sent = yield Compute(
        server.name, n * cost.encode_down_flops, lambda: server.encode_middle(device.name, middle), "encode"
    )
    yield Send(server.name, device.name, {"middle_down": sent})
    arrived = yield Compute(
        device.name, n * cost.decode_down_flops, lambda: device.decode_middle(sent.body), "decode"
    )
    return sent, arrived


def _gradient_up(server: UServer, device: UDevice, feedback: Feedback, asked: Payload, n: int) -> Task:
    """Bring the gradient at the tail to the server, in answer to `asked`; returns it as it arrived."""
    cost = device.inner
    sent = yield Compute(
        device.name,
        n * cost.encode_up_flops,
        lambda: device.encode_gradient(feedback, asked.body),
        "encode",
    )
    yield Send(device.name, server.name, {"middle_up": sent})
    return (
        yield Compute(
            server.name,
            n * cost.decode_up_flops,
            lambda: server.decode_gradient(device.name, sent.body, asked.body),
            "decode",
        )
    )


def _gradient_down(server: UServer, device: UDevice, gradient: Tensor, asked: Payload, n: int) -> Task:
    """Bring the gradient at the cut to the device, in answer to `asked`; returns it as it arrived."""
    cost = device.exchange
    sent = yield Compute(
        server.name,
        n * cost.encode_down_flops,
        lambda: server.encode(device.name, gradient, asked.body),
        "encode",
    )
    yield Send(server.name, device.name, {"smashed_down": sent})
    return (
        yield Compute(
            device.name, n * cost.decode_down_flops, lambda: device.decode(sent.body, asked.body), "decode"
        )
    )


def _meeting(
    server: UServer, device: UDevice, queue: str, item: object, n: int, cohort: int, way: str
) -> Offer:
    """Return the offer of `item` to the body's pass one way over the whole cohort."""
    work = device.exchange.work
    serve = server.forward if way == "forward" else server.backward
    flops = n * (work.server_forward_flops if way == "forward" else work.server_backward_flops)
    return Offer(server.name, queue, device.place, item, serve, flops, cohort, way)


def _queue(way: str, number: int, step: int) -> str:
    return f"{way} {number}.{step}"
