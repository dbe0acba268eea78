"""One mini-batch, there and back, between a device and the server; the paper's figure, effect by effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from slfac_sim.effects import Compute, Effect, Excuse, Offer, Send, Task
from slfac_sim.protocols.kit.mini_batches import batches_of, learn, steps_of

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.halves import Smashed
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols.kit.participation import Participants


@dataclass(frozen=True)
class InFlight:
    """A mini-batch on its way: what stays at home with the device, the body that is sent, its samples.

    `train_flops` is what a step of the server on it costs.
    """

    smashed: Smashed
    sent: Payload
    samples: int
    train_flops: float


@dataclass(frozen=True)
class Meeting:
    """A step of a round, both from 1, in which the server may wait for so many `devices`.

    Where several groups learn in one round, `group` tells their queues apart.
    """

    round_number: int
    step: int
    devices: int
    group: str = ""

    @property
    def queue(self) -> str:
        """The name of the server's queue in which the devices wait for each other."""
        return "cohort " + ".".join(filter(None, (str(self.round_number), self.group, str(self.step))))

    def offer(
        self, host: str, place: int, item: Any, serve: Callable[[list[Any]], Any], flops: float
    ) -> Offer:
        """Return the offer of a device's `item` to the step that `host` takes over all of them."""
        return Offer(host, self.queue, place, item, serve, flops, self.devices, "train")


ServerStep = Callable[["Participants", "Device", InFlight, Any, Meeting], Effect]
"""What the server does with a mini-batch that it has decoded; the reply is what goes back to the device."""

Response = Callable[["Participants", "Device", InFlight, Any], Task]
"""How the reply to a server step goes back, and the device learns from it; returns the `Feedback`."""


def uplink(participants: Participants, device: Device, batch: Indices) -> Task:
    """Bring a mini-batch to the server; returns what is `InFlight` and what the server has decoded."""
    in_flight = yield from encode(device, batch)
    arrived = yield from send(participants, device, in_flight)
    return in_flight, arrived


def encode(device: Device, batch: Indices) -> Task:
    """Have the device run a mini-batch up to the cut and encode what comes out; returns it `InFlight`."""
    cost, n = device.exchange, len(batch)
    smashed = yield Compute(
        device.name, n * cost.work.device_forward_flops, lambda: device.forward(batch), "forward"
    )
    sent = yield Compute(device.name, n * cost.encode_up_flops, lambda: device.encode(smashed), "encode")
    return InFlight(smashed, sent, n, n * cost.work.server_step_flops)


def send(participants: Participants, device: Device, in_flight: InFlight) -> Task:
    """Send what the device has encoded; returns what the server has decoded."""
    server, sent, labels = participants.server, in_flight.sent, device.encode_labels(in_flight.smashed)
    yield Send(device.name, server.name, {"smashed_up": sent, "labels": labels})
    flops = in_flight.samples * device.exchange.decode_up_flops
    decode = partial(server.decode, device.name, sent.body, labels.body)
    return (yield Compute(server.name, flops, decode, "decode"))


def on_cohort(
    participants: Participants, device: Device, in_flight: InFlight, arrived: Any, meeting: Meeting
) -> Offer:
    """Offer what `arrived` to one batched step of the server over all that meet."""
    server = participants.server
    return meeting.offer(server.name, device.place, arrived, server.train, in_flight.train_flops)


def downlink(participants: Participants, device: Device, in_flight: InFlight, feedback: Any) -> Task:
    """Bring the gradient back to the device, which learns from it; returns the `feedback`.

    A device of which all weights are frozen gets none: it goes on when the server has taken its step.
    """
    server, cost, n, sent = participants.server, device.exchange, in_flight.samples, in_flight.sent
    if not cost.answered:
        device.hear(sent.body)
        return feedback
    _, gradient = yield from message(
        (server.name, n * cost.encode_down_flops, lambda: server.encode(device.name, feedback, sent.body)),
        (device.name, n * cost.decode_down_flops, lambda body: device.decode(body, sent.body)),
        "smashed_down",
    )
    learnt = partial(device.backward, in_flight.smashed.pending, gradient)
    yield Compute(device.name, n * cost.work.device_backward_flops, learnt, "backward")
    return feedback


def message(
    source: tuple[str, float, Callable[[], Payload]],
    destination: tuple[str, float, Callable[[bytes], Any]],
    kind: str,
) -> Task:
    """Encode, send as `kind` and decode; returns the payload, and what has arrived.

    Of either side: the host, the FLOPs of its work, and the work.
    """
    (sender, encode_flops, encode), (receiver, decode_flops, decode) = source, destination
    sent = yield Compute(sender, encode_flops, encode, "encode")
    yield Send(sender, receiver, {kind: sent})
    return sent, (yield Compute(receiver, decode_flops, lambda: decode(sent.body), "decode"))


def exchange(
    participants: Participants,
    device: Device,
    ahead: Sequence[Meeting],
    step: int,
    batch: Indices,
    server_step: ServerStep = on_cohort,
    respond: Response = downlink,
    excuses: list[Excuse] | None = None,
) -> Task:
    """One mini-batch, there and back, in `step` of the meetings `ahead` in a round; returns the `Feedback`.

    The first of the `excuses` is dropped once the server has taken its step: nobody waits there any more.
    """
    in_flight, arrived = yield from uplink(participants, device, batch)
    reply = yield server_step(participants, device, in_flight, arrived, ahead[step - 1])
    if excuses:
        excuses.pop(0)
    return (yield from respond(participants, device, in_flight, reply))


def meetings(round_number: int, lengths: Sequence[int], group: str = "") -> list[Meeting]:
    """Return the meetings of a round of devices with so many steps each; who has run out stays away."""
    sizes = [sum(length > step for length in lengths) for step in range(max(lengths))]
    return [Meeting(round_number, step, size, group) for step, size in enumerate(sizes, start=1)]


def in_cohorts(
    participants: Participants,
    round_number: int,
    devices: Sequence[Device],
    steps: int | None,
    server_step: ServerStep = on_cohort,
    respond: Response = downlink,
    waits: bool = True,
    group: str = "",
) -> Iterator[Task]:
    """Yield, for each of `devices`, the task in which it learns in a round.

    Each returns samples and summed loss. Where the server `waits` in each step for all that have a mini-batch
    in it, a device that fails is excused from its meetings to come.
    """
    lengths = [steps_of(device, steps) for device in devices]
    ahead = meetings(round_number, lengths, group)
    for device, length in zip(devices, lengths, strict=True):
        excuses = [Excuse(participants.server.name, meeting.queue) for meeting in ahead[:length] if waits]
        exchanged = partial(
            exchange, participants, device, ahead, server_step=server_step, respond=respond, excuses=excuses
        )
        batches = batches_of(device, steps, round_number)
        yield learn(device.name, round_number, batches, exchanged, excuses)
