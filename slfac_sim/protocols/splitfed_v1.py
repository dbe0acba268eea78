"""SplitFed V1: every device has a copy of the server's half; both halves are averaged at a round's end.

Thapa et al., 2022, "SplitFed: When Federated Learning Meets Split Learning" (arXiv:2004.12088): the server
keeps one half per client, the halves learn side by side, and federated averaging joins both sides at each
global epoch. It is federated averaging of the whole model, computed in two places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from slfac_sim.effects import Compute, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, RoundProtocol, Schedule, Share
from slfac_sim.protocols.fedavg import federated_round
from slfac_sim.protocols.kit.exchange import InFlight, Meeting, in_cohorts
from slfac_sim.protocols.kit.participation import steadily

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.mixed_cuts import MixedCopies
    from slfac_sim.learning.participants import Device
    from slfac_sim.learning.server_copies import ServerCopies
    from slfac_sim.protocols import Participants

    Copies = ServerCopies | MixedCopies


@settings
class SplitfedV1(RoundProtocol):
    """Averaged are device halves and server halves, weighted by the samples that each used.

    The server works on each mini-batch by itself, when it has arrived, so no device waits for another before
    the end of the round. Our reading: all copies start a round alike, the moments of the server's optimiser
    included, which are averaged with the weights; and a device that does not finish a round contributes to
    neither average. The copies take memory: `slfac_sim.learning.server_copies` says how much. Devices may
    have different cuts (`cut: per_device`, or one named for each), since it is whole models that are
    averaged, block by block.
    """

    references: ClassVar[tuple[str, ...]] = ("thapa2022splitfed",)
    cuts_may_differ: ClassVar[bool] = True

    rounds: Count = 8
    steps: Count | None = None
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps, server_step="arrival", broadcast=self.model_broadcast, averages_copies=True
        )

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Let every device learn with a copy of the server's half; average both sides."""
        with participants.server.copies() as copies:
            learning = partial(learning_with, copies, steps=self.steps)
            model, shares = yield from federated_round(self, participants, round_number, model, learning)
            yield from average_copies(participants, copies, shares)
            return copies.joined(model), shares


def learning_with(
    copies: Copies,
    participants: Participants,
    round_number: int,
    devices: Sequence[Device],
    steps: int | None,
) -> Iterator[Task]:
    """Return the tasks in which `devices` learn, each with its own of `copies`."""
    copies.begin([device.name for device in devices])
    step = partial(_on_copy, copies)
    return in_cohorts(participants, round_number, devices, steps, step, waits=False)


def _on_copy(
    copies: Copies,
    participants: Participants,
    device: Device,
    in_flight: InFlight,
    arrived: Any,
    meeting: Meeting,
) -> Compute:
    """Take a step of the copy of `device` on what `arrived`."""
    step = partial(copies.train, device.name, arrived)
    return Compute(participants.server.name, in_flight.train_flops, step, "train")


def average_copies(participants: Participants, copies: Copies, shares: Sequence[Share]) -> Task:
    """Make the server's half the mean of the copies of the devices in `shares`, weighted by their samples.

    The work is that of averaging device halves: 2 FLOPs per value of each copy.
    """
    devices = [share.device for share in shares]
    average = partial(copies.average, devices, [share.samples for share in shares])
    if not devices:
        average()  # there is nothing to compute: the half is again what it was before the round
        return
    server, flops = participants.server.name, 2.0 * sum(copies.values_of(device) for device in devices)
    yield from steadily(participants, Compute(server, flops, average, "average"))
