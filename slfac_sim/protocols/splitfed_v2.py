"""SplitFed V2: one half on the server, which goes through the devices' mini-batches in a random order.

Thapa et al., 2022, "SplitFed: When Federated Learning Meets Split Learning" (arXiv:2004.12088): the server
has the smashed data of all clients before it begins, works on them one after the other in a random order,
and updates its half each time; only the clients' halves are averaged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from slfac_sim.effects import Offer, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, Schedule
from slfac_sim.protocols.fedavg import FederatedAveraging
from slfac_sim.protocols.kit.exchange import InFlight, Meeting, in_cohorts

if TYPE_CHECKING:
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class SplitfedV2(FederatedAveraging):
    """Averaged are device halves, weighted by samples; the server's half is one and is not.

    In each step the server waits for the mini-batches of all devices, as in `parallel`, and then takes a step
    of its optimiser for each, one after the other. Our reading: the order is drawn anew for every step, and
    the answers are encoded when all have had their turn.
    """

    references: ClassVar[tuple[str, ...]] = ("thapa2022splitfed",)

    rounds: Count = 8
    steps: Count | None = None
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, server_step="in turn", broadcast=self.model_broadcast)

    def learning(
        self, participants: Participants, round_number: int, devices: Sequence[Device]
    ) -> Iterator[Task]:
        """Yield the task of each of `devices`."""
        return in_cohorts(participants, round_number, devices, self.steps, _one_after_the_other)


def turns(devices: Iterable[str], seed: int, round_number: int, step: int) -> list[str]:
    """Return `devices` in the order of `step` of a round, by what is drawn for each of them alone."""
    return sorted(devices, key=lambda name: stream(seed, f"server turn/{name}/{round_number}", step).random())


def _one_after_the_other(
    participants: Participants, device: Device, in_flight: InFlight, arrived: Any, meeting: Meeting
) -> Offer:
    """Offer what `arrived` to a step over all that meet, in which the server learns from each by itself."""
    server = participants.server

    def serve(items: Sequence[tuple[str, Any]]) -> list[Any]:
        waiting = dict(items)
        order = turns(waiting, participants.seed, meeting.round_number, meeting.step)
        answers = {name: server.train([waiting[name]])[0] for name in order}
        return [answers[name] for name in waiting]

    return meeting.offer(server.name, device.place, (device.name, arrived), serve, in_flight.train_flops)
