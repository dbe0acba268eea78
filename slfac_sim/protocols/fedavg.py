"""Federated averaging: every device trains the whole model on its own samples, and the server averages.

FedAvg of McMahan et al. (2017, arXiv:1602.05629, algorithm 1). Nothing is cut: what travels is the model,
and labels stay on the devices.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import in_averaged_rounds
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._whole_rounds import federated_round, steps_of

if TYPE_CHECKING:
    from slfac_sim.protocols import Participants


@settings
class FedAvg(ProtocolSettings):
    """`rounds` rounds of `steps` mini-batches per device, or of `local_epochs` passes when `steps` is null.

    The mean of the devices' models is weighted by the samples that each used; the moments of a device's
    optimiser stay with it. Models travel through `codec.model`, as they are (`send: model`) or, from the
    devices, as their `difference` to the server's model of the round, which suits codecs that lose
    something. The settings `cut`, `codec.uplink` and `codec.downlink` of the scenario have no effect.
    """

    references: ClassVar[tuple[str, ...]] = ("mcmahan2017communication",)
    layout: ClassVar[str] = "whole"

    rounds: Count = 8
    steps: Count | None = None
    local_epochs: Count = 1
    send: Literal["model", "difference"] = "model"
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
            passes=self.local_epochs,
            exchanges=0,
            broadcast=self.model_broadcast,
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_averaged_rounds(participants, self, partial(federated_round, self, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        steps = [steps_of(device.shard, self.steps, self.local_epochs) for device in participants.devices]
        return self.rounds * sum(steps)
