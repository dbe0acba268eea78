"""Local training: every device trains its own model on its own samples, and sends nothing; the floor."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._rounds import Share, in_rounds
from slfac_sim.protocols._whole_rounds import batches_of, steps_of, train

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.whole import WholeDevice
    from slfac_sim.protocols import Participants


@settings
class LocalOnly(ProtocolSettings):
    """`rounds` rounds of `steps` mini-batches per device, or of one local epoch when `steps` is null.

    All devices begin with the same weights. The figures of `evals` are the means over the models of
    `evaluate_devices` devices, the first in device order: each is measured on the full test set, which takes
    its time on this host. A round ends with its slowest device, for the sake of the evaluation alone. The
    settings `cut`, `codec` and `network` of the scenario have no effect.
    """

    layout: ClassVar[str] = "whole"
    model_broadcast: ClassVar[str] = "unicast"

    rounds: Count = 8
    steps: Count | None = None
    evaluate_devices: Count = 10

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt."""
        return False

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, exchanges=0, models="kept")

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_rounds(participants, self.rounds, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device.shard, self.steps, 1) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        everybody = Participation()
        devices = yield from everybody.choose(participants, number)
        tasks = [self._device_round(device, number) for device in devices]
        shares = yield from everybody.gather(number, devices, tasks)
        return model, shares

    def _device_round(self, device: WholeDevice, number: int) -> Task:
        batches = batches_of(device.trainee, self.steps, 1, number)
        samples, loss = yield from train(device.name, device, number, batches)
        return Share(None, samples, loss)
