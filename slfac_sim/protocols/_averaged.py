"""Rounds at whose end device halves are averaged, however the server learns in between. It knows no batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from slfac_sim.effects import Compute, Task
from slfac_sim.protocols._halves import Handout, announce, hand_in, hand_out, take
from slfac_sim.protocols._participation import in_turn, steadily
from slfac_sim.protocols._rounds import Share, in_rounds

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants
    from slfac_sim.protocols._participation import Participation

Learning = Callable[[Sequence["Device"]], Iterable[Task]]
"""For the devices of a round, the tasks in which they learn; each returns samples and summed loss."""


class Plan(Protocol):
    """What the settings of a protocol of averaged device halves say of it."""

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        ...

    @property
    def model_broadcast(self) -> Literal["multicast", "unicast"]:
        """How the average is handed out."""
        ...

    @property
    def initial_model(self) -> Literal["seed", "broadcast"]:
        """Whether devices have the initial half from the seed, or are sent it."""
        ...

    @property
    def participation(self) -> Participation:
        """Who takes part in a round."""
        ...


@dataclass(frozen=True)
class DeviceShare(Share):
    """The share of a round of the device called `device`."""

    device: str


def in_averaged_rounds(
    participants: Participants, plan: Plan, one_round: Callable[[int, Payload], Task]
) -> Task:
    """Yield the effects of all rounds; at their end the devices are handed the last average."""
    model = yield from in_rounds(participants, plan.rounds, one_round)
    devices = yield from plan.participation.present(participants)
    yield from hand_out(participants, devices, model, plan.model_broadcast)


def averaged_round(
    participants: Participants,
    plan: Plan,
    number: int,
    model: Payload,
    learning: Learning,
) -> Task:
    """Hand out `model`, let the devices learn, average their halves; returns the average and the shares."""
    devices = yield from plan.participation.choose(participants, number)
    known = number == 1 and plan.initial_model == "seed"
    return (yield from averaged(participants, plan, number, devices, model, known, learning))


def averaged(
    participants: Participants,
    plan: Plan,
    number: int,
    devices: Sequence[Device],
    model: Payload,
    known: bool,
    learning: Learning,
) -> Task:
    """Let `devices` learn from `model` on, handed to them unless it is `known`; as `averaged_round`."""
    handout = None
    if not known:
        handout = yield from announce(participants, devices, model, plan.model_broadcast)
    tasks = [
        _device_round(participants, device, handout, learns)
        for device, learns in zip(devices, learning(devices), strict=True)
    ]
    shares = yield from plan.participation.gather(number, devices, tasks)
    model = yield from _average(participants, devices, shares, model)
    return model, shares


def _device_round(participants: Participants, device: Device, handout: Handout | None, learns: Task) -> Task:
    """One device's round: take the average, learn, hand in what was learnt."""
    if handout is not None:
        learns = in_turn(take(participants, device, handout), learns)
    samples, loss = yield from learns
    state = yield from hand_in(participants, device)
    return DeviceShare(state, samples, loss, device.name)


def _average(
    participants: Participants, devices: Sequence[Device], shares: Sequence[DeviceShare], model: Payload
) -> Task:
    """Return the mean of the halves in `shares`, weighted by samples; `model` where there is none."""
    if not shares:
        return model
    server = participants.server
    states, samples = [share.state for share in shares], [share.samples for share in shares]
    values = {device.name: device.model_values for device in devices}
    flops = 2.0 * sum(values[share.device] for share in shares)
    work = Compute(server.name, flops, partial(server.average, states, samples), "average")
    return (yield from steadily(server.name, work))
