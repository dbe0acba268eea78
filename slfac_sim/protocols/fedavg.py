"""Federated averaging: every device trains the whole model on its own samples, and the server averages.

FedAvg of McMahan et al. (2017, arXiv:1602.05629, algorithm 1). Nothing is cut: what travels is the model,
and labels stay on the devices.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from slfac_sim.effects import Compute, Effect, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, RoundProtocol, Schedule, Share
from slfac_sim.protocols.kit.mini_batches import batches_of, learn
from slfac_sim.protocols.kit.models import Handout, announce, hand_in, take
from slfac_sim.protocols.kit.participation import in_turn, steadily

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants

Learning = Callable[["Participants", int, Sequence[Any]], Iterable[Task]]
"""For the devices of a round, the tasks in which they learn; each returns samples and summed loss."""


class FederatedAveraging(RoundProtocol):
    """Rounds at whose end the server averages what the devices, or their halves, have learnt in them."""

    @abstractmethod
    def learning(
        self, participants: Participants, round_number: int, devices: Sequence[Any]
    ) -> Iterable[Task]:
        """Yield, for each of `devices`, the task in which it learns; that returns samples and summed loss."""

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Hand out the model, let the devices that take part learn, and average what they hand in."""
        return federated_round(self, participants, round_number, model, self.learning)


def federated_round(
    protocol: RoundProtocol, participants: Participants, round_number: int, model: Payload, learning: Learning
) -> Task:
    """Yield the effects of a round with whoever takes part; returns the average and the shares."""
    devices = yield from protocol.participation.choose(participants, round_number)
    is_known = protocol.is_known(round_number)
    return (yield from averaged(protocol, participants, round_number, devices, model, is_known, learning))


def averaged(
    protocol: RoundProtocol,
    participants: Participants,
    round_number: int,
    devices: Sequence[Device],
    model: Payload,
    is_known: bool,
    learning: Learning,
) -> Task:
    """Let `devices` learn from `model` on, handed to them unless it `is_known`; as `federated_round`."""
    shares = yield from learnt(protocol, participants, round_number, devices, model, is_known, learning)
    return (yield from average(participants, devices, shares, model)), shares


def learnt(
    protocol: RoundProtocol,
    participants: Participants,
    round_number: int,
    devices: Sequence[Device],
    model: Payload,
    is_known: bool,
    learning: Learning,
) -> Task:
    """Let `devices` learn as `averaged` does, and return the shares of those that are done."""
    handout = None
    if not is_known:
        handout = yield from announce(participants, devices, model, protocol.model_broadcast)
    tasks = [
        _client(participants, device, handout, learns)
        for device, learns in zip(devices, learning(participants, round_number, devices), strict=True)
    ]
    return (yield from protocol.participation.gather(round_number, devices, tasks))


def _client(participants: Participants, device: Device, handout: Handout | None, learns: Task) -> Task:
    """One device's round: take the average, learn, hand in what was learnt."""
    if handout is not None:
        learns = in_turn(take(participants, device, handout), learns)
    samples, loss = yield from learns
    return Share(device.name, (yield from hand_in(participants, device)), samples, loss)


def average(
    participants: Participants, devices: Sequence[Device], shares: Sequence[Share], model: Payload
) -> Task:
    """Return the mean of the states in `shares`, weighted by samples; `model` where there is none."""
    if not shares:
        return model
    server = participants.server
    states, samples = [share.state for share in shares], [share.samples for share in shares]
    values = {device.name: device.model_values for device in devices}
    flops = 2.0 * sum(values[share.device] for share in shares)
    mean = Compute(server.name, flops, partial(server.average, states, samples), "average")
    return (yield from steadily(participants, mean))


class WholeModels(FederatedAveraging):
    """Federated averaging of whole models, which every device trains by itself."""

    layout: ClassVar[str] = "whole"
    cuts_models: ClassVar[bool] = False
    steps: int | None = None
    """Mini-batches of a device in a round; null: `local_epochs` passes over its samples."""

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps, passes=self.local_epochs, exchanges=0, broadcast=self.model_broadcast
        )

    def learning(
        self, participants: Participants, round_number: int, devices: Sequence[Any]
    ) -> Iterator[Task]:
        """Yield the local training of each of `devices`."""
        for device in devices:
            batches = batches_of(device.trainee, self.steps, round_number, self.local_epochs)
            yield learn(device.name, round_number, batches, partial(train, device))


def once(effect: Effect) -> Task:
    """Have `effect` done."""
    return (yield effect)


def train(learner: Any, step: int, batch: Indices, do: Callable[[Compute], Task] = once) -> Task:
    """Have `learner` (a device, or the server) train the whole model on `batch`; returns its figures.

    `do` has a compute done.
    """
    n, work, trainee = len(batch), learner.work, learner.trainee
    forward = partial(trainee.forward, batch)
    answers = yield from do(Compute(learner.name, n * work.device_forward_flops, forward, "forward"))
    backward = partial(trainee.backward, answers)
    yield from do(Compute(learner.name, n * work.device_backward_flops, backward, "backward"))
    return answers


@settings
class FedAvg(WholeModels):
    """Every device trains the whole model; the mean is weighted by the samples that each used.

    The moments of a device's optimiser stay with it. Models travel through `codec.model`. The settings `cut`,
    `codec.uplink` and `codec.downlink` of the scenario have no effect.
    """

    references: ClassVar[tuple[str, ...]] = ("mcmahan2017communication",)

    rounds: Count = 8
    steps: Count | None = None
    local_epochs: Count = 1
    send: Literal["model", "difference"] = "model"
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()
