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
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from slfac_sim.effects import Compute, Failure, Offer, Present, Send, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import averaged_round, in_averaged_rounds
from slfac_sim.protocols._exchange import Asked, batches_of, cohort_sizes, in_cohorts, steps_of
from slfac_sim.protocols._halves import unreached
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._served import learn_in_step, queue_of

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.epsl import Aggregated
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Epsl(ProtocolSettings):
    """`parallel` with the first ceil(`phi` b) samples of the mini-batches aggregated; all else is as there.

    b is the smallest mini-batch of the step, where they differ. Every sample counts alike, so devices are
    weighted by their data. Each step has one multicast to the devices of the step (the aggregated gradient),
    then one transfer to each (its own part); with `phi` 1 only the multicast is left. The server's backward
    pass shrinks from k b samples to k (b - m) + m, with m aggregated ones of k devices; its forward pass
    has m more, since (our reading) an aggregated gradient goes back through the mean of the devices' smashed
    data. Device halves are averaged each round, as in `parallel`, so that `phi` 0 is `parallel`. A broadcast
    goes through ends of the downlink codec that are new each time, so one with memory has none there; no part
    is told which message it answers (`on_support` then sends all).
    """

    references: ClassVar[tuple[str, ...]] = ("lin2024efficient",)
    layout: ClassVar[str] = "split"

    rounds: Count = 8
    steps: Count | None = None
    phi: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"
    participation: Participation = Participation()

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt."""
        return self.participation.timing_steers_learning

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps,
            aggregated=self.phi,
            broadcast=self.model_broadcast,
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_averaged_rounds(participants, self, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        learning = partial(self._learning, participants, number)
        return (yield from averaged_round(participants, self, number, model, learning))

    def _learning(self, participants: Participants, number: int, devices: Sequence[Device]) -> Iterator[Task]:
        lengths = [steps_of(device, self.steps) for device in devices]
        cohorts = cohort_sizes(lengths)
        cuts = self._cuts(devices, lengths) if self.phi > 0.0 else []
        for device, length in zip(devices, lengths, strict=True):
            batches = batches_of(device, self.steps, number)
            if self.phi == 0.0:
                yield in_cohorts(participants, device, number, batches, cohorts[:length])
                continue
            step = _Step(participants, device, number, cohorts, cuts)
            yield learn_in_step(participants, device, number, batches, length, step.offered, step.responded)

    def _cuts(self, devices: Sequence[Device], lengths: Sequence[int]) -> list[int]:
        """Return, step by step, how many samples of each mini-batch are aggregated."""
        sizes = [device.shard.sizes(self.steps) for device in devices]
        smallest = [min(mine[step] for mine in sizes if len(mine) > step) for step in range(max(lengths))]
        # 0.07 * 100 is a little above 7, which is no reason to aggregate 8
        return [max(1, math.ceil(round(self.phi * samples, 9))) for samples in smallest]


@dataclass(frozen=True)
class _Step:
    """What happens in each step of `device` in round `number`; `cuts` are the samples aggregated in each."""

    participants: Participants
    device: Device
    number: int
    cohorts: Sequence[int]
    cuts: Sequence[int]

    def offered(self, step: int, asked: Asked, arrived: Any) -> Offer:
        """Offer what has arrived to one step of the server over the cohort."""
        server, cohort, cut = self.participants.server, self.cohorts[step - 1], self.cuts[step - 1]

        def train(items: Sequence[tuple[str, Any]]) -> list[tuple[tuple[str, ...], Aggregated]]:
            names = tuple(name for name, _ in items)
            answers = server.train_aggregated(cut, [arrived for _, arrived in items])
            return [(names, answer) for answer in answers]

        work, own = self.device.exchange.work, asked.samples - cut
        together = cut * work.server_step_flops / cohort  # this device's part of what is done for all
        flops = asked.samples * work.server_forward_flops + own * work.server_backward_flops + together
        item, queue = (self.device.name, arrived), queue_of(self.number, step)
        return Offer(server.name, queue, self.device.place, item, train, flops, cohort, "train")

    def responded(
        self, step: int, asked: Asked, arrived: Any, got: tuple[tuple[str, ...], Aggregated]
    ) -> Task:
        """Bring back the shared gradient and the device's own, from which it learns."""
        device, cost, n = self.device, self.device.exchange, asked.samples
        cohort, feedback = got
        shared = yield from self._broadcast(step, cohort, feedback)
        own = (yield from self._own(feedback)) if len(feedback.gradient) else None
        decode = partial(_decode, device, asked, shared, own)
        gradient = yield Compute(device.name, n * cost.decode_down_flops, decode, "decode")
        work = n * cost.work.device_backward_flops
        learn = partial(device.backward, asked.smashed.pending, gradient)
        yield Compute(device.name, work, learn, "backward")
        return feedback

    def _broadcast(self, step: int, cohort: tuple[str, ...], feedback: Aggregated) -> Task:
        """Return the shared gradient's body once it is with the `cohort`, whose first device sees to that."""
        server, place = self.participants.server, cohort.index(self.device.name)
        sent: Any = None
        if place == 0:
            try:
                sent = yield from self._sent_to_all(step, cohort, feedback)
            except Failure as failure:
                sent = failure  # of which the others must hear
        queue = f"broadcast {self.number}.{step}"
        heard = yield Offer(server.name, queue, place, sent, _from_the_first, 0.0, len(cohort), "broadcast")
        if isinstance(heard, Failure):
            raise Failure(heard.reason)
        body, reached = heard
        name = self.device.name
        if name not in reached and (yield Present((name,))):  # who is still down is told when it decodes
            raise unreached(name)
        return body

    def _sent_to_all(self, step: int, cohort: tuple[str, ...], feedback: Aggregated) -> Task:
        server, cost = self.participants.server, self.device.exchange
        sender = cost.downlink.sender(f"all/down/{self.number}.{step}")
        flops = len(feedback.shared) * cost.encode_down_flops
        body = yield Compute(server.name, flops, partial(sender.encode, feedback.shared), "encode")
        return body, (yield Send(server.name, cohort, {"smashed_down": body}))

    def _own(self, feedback: Aggregated) -> Task:
        server, device = self.participants.server, self.device
        flops = len(feedback.gradient) * device.exchange.encode_down_flops
        body = yield Compute(server.name, flops, partial(server.encode, device.name, feedback), "encode")
        yield Send(server.name, device.name, {"smashed_down": body})
        return body


def _from_the_first(sent: Sequence[Any]) -> list[Any]:
    return [sent[0]] * len(sent)


def _decode(device: Device, asked: Asked, shared: Payload, own: Payload | None) -> Any:
    """Return the gradient of the device's whole mini-batch from the bodies of both parts."""
    from slfac_sim.learning.epsl import joined

    first = device.exchange.downlink.receiver().decode(shared.body)
    rest = None if own is None else device.decode(own.body)
    return device.settle(joined(first, rest, asked.samples), asked.there.body)
