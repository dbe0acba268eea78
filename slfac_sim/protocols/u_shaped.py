"""U-shaped split learning: head and tail on the devices, the body on the server; labels never leave home.

Vepakomma et al., 2018 (arXiv:1812.00564), the configuration without label sharing. Four messages per
mini-batch: activations up, the body's activations down, their gradient up, the gradient at the cut down.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import averaged_round, in_averaged_rounds
from slfac_sim.protocols._exchange import batches_of, cohort_sizes, steps_of
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._u_exchange import in_cohorts

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@settings
class UShaped(ProtocolSettings):
    """`rounds` rounds of `steps` mini-batches per device, or of one local epoch when `steps` is null.

    `cut` ends the head, `tail` names the first block of the tail (null: the last block with weights). The
    server waits twice in a step: it runs the body over the smashed data of the whole cohort as one batch,
    and takes one step when it has all their gradients. Head and tail are averaged at the end of a round.
    With one step a round that is one step on the large batch, as in `parallel`; with more, the tails learn
    apart in between, as the heads do. The uplink's codec is used on both messages up, the downlink's on both
    messages down.
    """

    references: ClassVar[tuple[str, ...]] = ("vepakomma2018split",)
    layout: ClassVar[str] = "u_shape"

    rounds: Count = 8
    steps: Count | None = None
    tail: str | None = None
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
            exchanges=2,
            broadcast=self.model_broadcast,
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_averaged_rounds(participants, self, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        learning = partial(self._in_cohorts, participants, number)
        return (yield from averaged_round(participants, self, number, model, learning))

    def _in_cohorts(self, participants: Any, number: int, devices: Sequence[Any]) -> Iterator[Task]:
        lengths = [steps_of(device, self.steps) for device in devices]
        cohorts = cohort_sizes(lengths)
        for device, length in zip(devices, lengths, strict=True):
            batches = batches_of(device, self.steps, number)
            yield in_cohorts(participants.server, device, number, batches, cohorts[:length])
