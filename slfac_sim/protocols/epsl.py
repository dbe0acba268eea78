"""EPSL: parallel split learning with gradients aggregated at the last layer, and sent to all at once.

Lin et al., 2023, "Efficient Parallel Split Learning over Resource-constrained Wireless Edge Networks"
(arXiv:2303.15991): of the b samples of a mini-batch, the last-layer gradients of ceil(phi b) are averaged
over the devices, go back through the server's half once, and reach the cut as one gradient that is
broadcast; those of the others go back and down for each device by itself, as in parallel split learning.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from slfac_sim.effects import Compute, Failure, Offer, Present, Send, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, Schedule
from slfac_sim.protocols.fedavg import FederatedAveraging
from slfac_sim.protocols.kit.exchange import InFlight, Meeting, in_cohorts
from slfac_sim.protocols.kit.models import unreached

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.epsl import Aggregated
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Epsl(FederatedAveraging):
    """`parallel` with the first ceil(phi b) samples of the mini-batches aggregated; all else is as there.

    b is the smallest mini-batch of the step, where they differ. Every sample counts alike, so devices are
    weighted by their data. Each step has one multicast to the devices of the step (the aggregated gradient),
    then one transfer to each (its own part). The server's backward pass shrinks from k b samples to k (b - m)
    + m, with m aggregated ones of k devices; its forward pass has m more, since (our reading) an aggregated
    gradient goes back through the mean of the devices' smashed data. Device halves are averaged each round,
    as in `parallel`. A broadcast goes through ends of the downlink codec that are new each time, so one with
    memory has none there; no part is told which message it answers (`on_support` then sends all).
    """

    references: ClassVar[tuple[str, ...]] = ("lin2024efficient",)

    rounds: Count = 8
    steps: Count | None = None
    phi: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """Part of a mini-batch whose gradients are aggregated over devices, phi of the paper: a larger one
    takes less of the server's time and of the downlink; 0 is `parallel`, with 1 only the multicast is left.
    """
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, aggregated=self.phi, broadcast=self.model_broadcast)

    def learning(
        self, participants: Participants, round_number: int, devices: Sequence[Device]
    ) -> Iterator[Task]:
        """Yield the task of each of `devices`."""
        if self.phi == 0.0:
            return in_cohorts(participants, round_number, devices, self.steps)
        step = partial(_aggregating_step, self._cuts(devices))
        return in_cohorts(participants, round_number, devices, self.steps, step, _respond)

    def _cuts(self, devices: Sequence[Device]) -> list[int]:
        """Return, step by step, how many samples of each mini-batch are aggregated."""
        sizes = [device.shard.sizes(self.steps) for device in devices]
        smallest = [
            min(mine[step] for mine in sizes if len(mine) > step) for step in range(max(map(len, sizes)))
        ]
        # 0.07 * 100 is a little above 7, which is no reason to aggregate 8
        return [max(1, math.ceil(round(self.phi * samples, 9))) for samples in smallest]


@dataclass(frozen=True)
class _Reply:
    """What the server has for a device of the `cohort` that met: the shared gradient, and its own."""

    meeting: Meeting
    cohort: tuple[str, ...]
    feedback: Aggregated


def _aggregating_step(
    cuts: Sequence[int],
    participants: Participants,
    device: Device,
    in_flight: InFlight,
    arrived: Any,
    meeting: Meeting,
) -> Offer:
    """Offer what `arrived` to one step over all that meet, which aggregates the first of `cuts` samples."""
    server, cut = participants.server, cuts[meeting.step - 1]

    def train(items: Sequence[tuple[str, Any]]) -> list[_Reply]:
        names = tuple(name for name, _ in items)
        answers = server.train_aggregated(cut, [arrived for _, arrived in items])
        return [_Reply(meeting, names, answer) for answer in answers]

    work, own = device.exchange.work, in_flight.samples - cut
    together = cut * work.server_step_flops / meeting.devices  # this device's part of what is done for all
    flops = in_flight.samples * work.server_forward_flops + own * work.server_backward_flops + together
    return meeting.offer(server.name, device.place, (device.name, arrived), train, flops)


def _respond(participants: Participants, device: Device, in_flight: InFlight, reply: _Reply) -> Task:
    """Bring back the shared gradient and the device's own, from which it learns."""
    cost, n, feedback = device.exchange, in_flight.samples, reply.feedback
    if not cost.answered:
        device.hear(in_flight.sent.body)
        return feedback
    shared = yield from _shared(participants, device, reply)
    own = (yield from _own(participants, device, feedback)) if len(feedback.gradient) else None
    decode = partial(_decode, device, in_flight, shared, own)
    gradient = yield Compute(device.name, n * cost.decode_down_flops, decode, "decode")
    learn = partial(device.backward, in_flight.smashed.pending, gradient)
    yield Compute(device.name, n * cost.work.device_backward_flops, learn, "backward")
    return feedback


def _shared(participants: Participants, device: Device, reply: _Reply) -> Task:
    """Return the shared gradient's body once it is with the cohort, whose first device sees to that."""
    server, name, place = participants.server, device.name, reply.cohort.index(device.name)
    sent: Any = None
    if place == 0:
        try:
            sent = yield from _broadcast(participants, device, reply)
        except Failure as failure:
            sent = failure  # of which the others must hear
    queue = f"broadcast {reply.meeting.round_number}.{reply.meeting.step}"
    heard = yield Offer(server.name, queue, place, sent, _from_the_first, 0.0, len(reply.cohort), "broadcast")
    if isinstance(heard, Failure):
        raise Failure(heard.reason)
    body, reached = heard
    if name not in reached and (yield Present((name,))):  # who is still down is told when it decodes
        raise unreached(name)
    return body


def _broadcast(participants: Participants, device: Device, reply: _Reply) -> Task:
    """Send the shared gradient to the whole cohort at once; returns its body, and whom it has reached."""
    server, cost, shared = participants.server, device.exchange, reply.feedback.shared
    sender = cost.downlink.sender(f"all/down/{reply.meeting.round_number}.{reply.meeting.step}")
    flops = len(shared) * cost.encode_down_flops
    body = yield Compute(server.name, flops, partial(sender.encode, shared), "encode")
    return body, (yield Send(server.name, reply.cohort, {"smashed_down": body}))


def _own(participants: Participants, device: Device, feedback: Aggregated) -> Task:
    """Send the device its own gradient; returns its body."""
    server = participants.server
    flops = len(feedback.gradient) * device.exchange.encode_down_flops
    body = yield Compute(server.name, flops, partial(server.encode, device.name, feedback), "encode")
    yield Send(server.name, device.name, {"smashed_down": body})
    return body


def _from_the_first(sent: Sequence[Any]) -> list[Any]:
    return [sent[0]] * len(sent)


def _decode(device: Device, in_flight: InFlight, shared: Payload, own: Payload | None) -> Any:
    """Return the gradient of the device's whole mini-batch from the bodies of both parts."""
    from slfac_sim.learning.epsl import joined

    first = device.exchange.downlink.receiver().decode(shared.body)
    rest = None if own is None else device.decode(own.body)
    return device.settle(joined(first, rest, in_flight.samples), in_flight.sent.body)
