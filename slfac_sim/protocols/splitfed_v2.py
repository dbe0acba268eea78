"""SplitFed V2: one half on the server, which goes through the devices' mini-batches in a random order.

Thapa et al., 2022, "SplitFed: When Federated Learning Meets Split Learning" (arXiv:2004.12088): the server
has the smashed data of all clients before it begins, works on them one after the other in a random order,
and updates its half each time; only the clients' halves are averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from slfac_sim.effects import Offer, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import averaged_round, in_averaged_rounds
from slfac_sim.protocols._exchange import Asked, answer, batches_of, cohort_sizes, steps_of
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._served import learn_in_step, queue_of

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class SplitfedV2(ProtocolSettings):
    """`rounds` rounds of `steps` mini-batches per device, or of one local epoch when `steps` is null.

    Averaged are device halves, weighted by samples; the server's half is one and is not. In each step the
    server waits for the mini-batches of all devices, as in `parallel`, and then takes a step of its
    optimiser for each, one after the other. Our reading: the order is drawn anew for every step, and the
    answers are encoded when all have had their turn. `model_broadcast` and `initial_model` are those of
    `parallel`.
    """

    references: ClassVar[tuple[str, ...]] = ("thapa2022splitfed",)
    layout: ClassVar[str] = "split"

    rounds: Count = 8
    steps: Count | None = None
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"
    participation: Participation = Participation()

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt; the order of arrival does not."""
        return self.participation.timing_steers_learning

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps,
            server_step="in turn",
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
        for device, length in zip(devices, lengths, strict=True):
            batches = batches_of(device, self.steps, number)
            offered = partial(_offered, participants, device, number, cohorts)
            responded = partial(_responded, participants, device)
            yield learn_in_step(participants, device, number, batches, length, offered, responded)


def turns(devices: Iterable[str], seed: int, number: int, step: int) -> list[str]:
    """Return `devices` in the order of `step` of round `number`, by what is drawn for each of them alone."""
    return sorted(devices, key=lambda name: stream(seed, f"server turn/{name}/{number}", step).random())


def _offered(
    participants: Participants,
    device: Device,
    number: int,
    cohorts: Sequence[int],
    step: int,
    asked: Asked,
    arrived: Any,
) -> Offer:
    """Offer what has arrived to a queue where the server waits for the whole cohort."""
    server, place, cohort = participants.server, device.place, cohorts[step - 1]

    def serve(items: Sequence[tuple[str, Any]]) -> list[Any]:
        waiting = dict(items)
        order = turns(waiting, participants.seed, number, step)
        answers = {name: server.train([waiting[name]])[0] for name in order}
        return [answers[name] for name in waiting]

    flops = asked.samples * device.exchange.work.server_step_flops
    item, queue = (device.name, arrived), queue_of(number, step)
    return Offer(server.name, queue, place, item, serve, flops, cohort, "train")


def _responded(
    participants: Participants, device: Device, step: int, asked: Asked, arrived: Any, got: Any
) -> Task:
    yield from answer(participants, device, asked, got)
    return got
