"""SplitFed V3: every device keeps a half of its own; the server's copies of its half are averaged.

Gawali et al., 2021, "Comparison of Privacy-Preserving Distributed Deep Learning Methods in Healthcare"
(arXiv:2012.12591): as SplitFed V1 on the server; on the clients the halves are unique, and stay there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import DeviceShare
from slfac_sim.protocols._copies import average_copies, learn_with_copies
from slfac_sim.protocols._exchange import steps_of
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._rounds import in_rounds

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class SplitfedV3(ProtocolSettings):
    """`rounds` rounds of `steps` mini-batches per device, or of one local epoch when `steps` is null.

    Averaged are the server's copies of its half, as in `splitfed_v1`; device halves are neither averaged nor
    sent, so no model is ever on the air. What the devices have in common is nothing: the figures of an
    evaluation are means over the first `evaluate_devices` devices, each with its own half before the
    server's (our choice; each costs this host a pass over the test set). With few devices per round those may
    be halves that have not learnt yet. Our reading: copies are averaged once a round, weighted by samples.
    """

    references: ClassVar[tuple[str, ...]] = ("gawali2021comparison",)
    layout: ClassVar[str] = "split_own"
    model_broadcast: ClassVar[Literal["multicast", "unicast"]] = "multicast"  # of no model

    rounds: Count = 8
    steps: Count | None = None
    evaluate_devices: Count = 10
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
            server_step="arrival",
            models="kept",
            averages_copies=True,
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_rounds(participants, self.rounds, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        devices = yield from self.participation.choose(participants, number)
        with participants.server.copies() as copies:
            learning = learn_with_copies(participants, self, copies, number, devices)
            tasks = [_device_round(device, learns) for device, learns in zip(devices, learning, strict=True)]
            shares = yield from self.participation.gather(number, devices, tasks)
            names = [share.device for share in shares]
            yield from average_copies(participants, copies, names, [share.samples for share in shares])
        return model, shares


def _device_round(device: Device, learns: Task) -> Task:
    samples, loss = yield from learns
    return DeviceShare(None, samples, loss, device.name)
