"""SplitFed V3: every device keeps a half of its own; the server's copies of its half are averaged.

Gawali et al., 2021, "Comparison of Privacy-Preserving Distributed Deep Learning Methods in Healthcare"
(arXiv:2012.12591): as SplitFed V1 on the server; on the clients the halves are unique, and stay there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Participation, RoundProtocol, Schedule, Share
from slfac_sim.protocols.splitfed_v1 import average_copies, learning_with

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class SplitfedV3(RoundProtocol):
    """Averaged are the server's copies of its half, as in `splitfed_v1`; device halves stay where they are.

    No model is ever on the air. What the devices have in common is nothing: the figures of an evaluation are
    means over some devices, each with its own half before the server's (our choice). With few devices per
    round those may be halves that have not learnt yet. Our reading: copies are averaged once a round,
    weighted by samples.
    """

    references: ClassVar[tuple[str, ...]] = ("gawali2021comparison",)
    layout: ClassVar[str] = "split_own"
    hands_out_last: ClassVar[bool] = False

    rounds: Count = 8
    steps: Count | None = None
    evaluate_devices: Count = 10
    participation: Participation = Participation()

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, server_step="arrival", models="kept", averages_copies=True)

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Let every device learn with a copy of the server's half, and average the copies."""
        devices = yield from self.participation.choose(participants, round_number)
        with participants.server.copies() as copies:
            learning = learning_with(copies, participants, round_number, devices, self.steps)
            tasks = [_share(device, learns) for device, learns in zip(devices, learning, strict=True)]
            shares = yield from self.participation.gather(round_number, devices, tasks)
            yield from average_copies(participants, copies, shares)
        return model, shares


def _share(device: Device, learns: Task) -> Task:
    return Share(device.name, None, *(yield from learns))
