"""Clustered parallel split learning: in parallel within a cluster of devices, one cluster after the other.

Wu et al., 2023, "Split Learning over Wireless Networks" (arXiv:2204.08119): the server takes
one step over all smashed data of a cluster, the cluster's device halves are averaged after its local
training, and the average is what the next cluster begins with. Their algorithms for forming clusters and
sharing out bandwidth are not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import averaged, in_averaged_rounds
from slfac_sim.protocols._exchange import batches_of, cohort_sizes, in_cohorts, steps_of
from slfac_sim.protocols._order import Order, in_order
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._rounds import Share

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Clustered(ProtocolSettings):
    """`rounds` rounds, in each of which every cluster learns once, `steps` mini-batches or one local epoch.

    `cluster` devices make a cluster, the last one may have fewer: those that follow each other in device
    order (`order: fixed`), or in an order that is drawn for each round (`random`). Within a cluster all is
    as in `parallel`; it is the first cluster of all whose halves come from the seed. One cluster of all
    devices is `parallel`, clusters of one are `sequential`. Deadline and `enough` of `participation` are a
    cluster's.
    """

    references: ClassVar[tuple[str, ...]] = ("wu2023split",)
    layout: ClassVar[str] = "split"

    rounds: Count = 8
    steps: Count | None = None
    cluster: Count = 5
    order: Order = "fixed"
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"
    participation: Participation = Participation()

    def __post_init__(self) -> None:
        enough = self.participation.enough
        if enough is not None and enough > self.cluster:
            raise ValueError(f"participation.enough must be at most cluster, {self.cluster} (got {enough})")

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt."""
        return self.participation.timing_steers_learning

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps,
            at_once=self.cluster,
            broadcast=self.model_broadcast,
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_averaged_rounds(participants, self, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        chosen = yield from self.participation.choose(participants, number)
        devices = in_order(chosen, self.order, number, participants.seed)
        everyone: list[Share] = []
        for first in range(0, len(devices), self.cluster):
            cluster = devices[first : first + self.cluster]
            known = number == 1 and self.initial_model == "seed" and not everyone
            learning = partial(self._in_cohorts, participants, number)
            model, shares = yield from averaged(participants, self, number, cluster, model, known, learning)
            everyone += shares
        return model, everyone

    def _in_cohorts(
        self, participants: Participants, number: int, cluster: Sequence[Device]
    ) -> Iterator[Task]:
        lengths = [steps_of(device, self.steps) for device in cluster]
        cohorts, group = cohort_sizes(lengths), f".{cluster[0].name}"
        for device, length in zip(cluster, lengths, strict=True):
            batches = batches_of(device, self.steps, number)
            yield in_cohorts(participants, device, number, batches, cohorts[:length], group)
