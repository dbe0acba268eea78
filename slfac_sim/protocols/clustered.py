"""Clustered parallel split learning: in parallel within a cluster of devices, one cluster after the other.

Wu et al., 2023, "Split Learning over Wireless Networks" (arXiv:2204.08119): the server takes
one step over all smashed data of a cluster, the cluster's device halves are averaged after its local
training, and the average is what the next cluster begins with. Their algorithms for forming clusters and
sharing out bandwidth are not here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, RoundProtocol, Schedule, Share
from slfac_sim.protocols.fedavg import averaged
from slfac_sim.protocols.kit.exchange import in_cohorts
from slfac_sim.protocols.kit.participation import Order, in_order

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@settings
class Clustered(RoundProtocol):
    """In a round every cluster of devices learns once, one after the other.

    Within a cluster all is as in `parallel`; it is the first cluster of all whose halves come from the seed.
    One cluster of all devices is `parallel`, clusters of one are `sequential`.
    """

    references: ClassVar[tuple[str, ...]] = ("wu2023split",)

    rounds: Count = 8
    steps: Count | None = None
    cluster: Count = 5
    """Devices of a cluster: more make fewer turns in a round, and larger batches of the server. The last
    cluster may have fewer.
    """
    order: Order = "fixed"
    """Whether clusters are of devices that follow each other in device order (`fixed`), or in one that is
    drawn for each round (`random`).
    """
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()
    """Who is asked to take part in a round; `deadline` and `enough` are those of a cluster."""

    def __post_init__(self) -> None:
        enough = self.participation.enough
        if enough is not None and enough > self.cluster:
            raise ValueError(f"participation.enough must be at most cluster, {self.cluster} (got {enough})")

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, at_once=self.cluster, broadcast=self.model_broadcast)

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Let one cluster after the other learn in cohorts, each from the average of the one before."""
        chosen = yield from self.participation.choose(participants, round_number)
        devices = in_order(chosen, self.order, round_number, participants.seed)
        everyone: list[Share] = []
        for first in range(0, len(devices), self.cluster):
            cluster = devices[first : first + self.cluster]
            is_known = self.is_known(round_number) and not everyone
            learning = partial(in_cohorts, steps=self.steps, group=cluster[0].name)
            model, shares = yield from averaged(
                self, participants, round_number, cluster, model, is_known, learning
            )
            everyone += shares
        return model, everyone
