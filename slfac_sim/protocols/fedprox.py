"""FedProx: federated averaging in which devices are held back from straying too far from the server's model.

Li et al. (2020, arXiv:1812.06127, algorithm 2): each device adds (mu/2) ||w - w_server||^2 to its own loss.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, NotNegative
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import in_averaged_rounds
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._whole_rounds import federated_round, steps_of

if TYPE_CHECKING:
    from slfac_sim.protocols import Participants


@settings
class FedProx(ProtocolSettings):
    """As `fedavg`, with the weight `mu` of the distance to the model that the round began with.

    With `mu: 0` it is `fedavg`. The losses in the tables are without that distance. Every device does all
    of its work: the paper's partial work of slow devices is a `deadline` here, which drops them.
    """

    references: ClassVar[tuple[str, ...]] = ("li2020federated",)
    layout: ClassVar[str] = "whole"

    mu: NotNegative = 0.01
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
