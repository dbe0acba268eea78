"""Local training: every device trains its own model on its own samples, and sends nothing; the floor."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import RoundProtocol, Schedule, Share
from slfac_sim.protocols.fedavg import train
from slfac_sim.protocols.kit.mini_batches import batches_of, learn

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@settings
class LocalOnly(RoundProtocol):
    """Every device trains a model of its own, and all begin with the same weights.

    The figures of `evals` are means over the models of some devices, each measured on the full test set. A
    round ends with its slowest device, for the sake of the evaluation alone. The settings `cut`, `codec` and
    `network` of the scenario have no effect.
    """

    layout: ClassVar[str] = "whole"
    cuts_models: ClassVar[bool] = False
    hands_out_last: ClassVar[bool] = False

    rounds: Count = 8
    steps: Count | None = None
    evaluate_devices: Count = 10

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, exchanges=0, models="kept")

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Let every device train; the `model` in common is nobody's."""
        devices = yield from self.participation.choose(participants, round_number)
        tasks = [self._train(device, round_number) for device in devices]
        return model, (yield from self.participation.gather(round_number, devices, tasks))

    def _train(self, device: Any, round_number: int) -> Task:
        batches = batches_of(device.trainee, self.steps, round_number)
        samples, loss = yield from learn(device.name, round_number, batches, partial(train, device))
        return Share(device.name, None, samples, loss)
