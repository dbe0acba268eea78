"""Centralised training: all samples lie on the server, and no network is used; the ceiling of accuracy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._participation import steadily
from slfac_sim.protocols._rounds import Share, in_rounds
from slfac_sim.protocols._whole_rounds import batches_of, steps_of, train

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@settings
class Centralised(ProtocolSettings):
    """`rounds` rounds of `steps` mini-batches, or of one pass over all samples when `steps` is null.

    A mini-batch has devices x `learning.batch` samples, as many as all devices together use in a step of
    the parallel protocol, so that rounds compare. The server's name is in the column `device` of `steps`,
    and a round counts one device. The settings `cut`, `codec` and `network` of the scenario have no effect.
    """

    layout: ClassVar[str] = "whole"
    model_broadcast: ClassVar[str] = "unicast"

    rounds: Count = 8
    steps: Count | None = None

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt."""
        return False

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, exchanges=0, models="kept", on_server=True)

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_rounds(participants, self.rounds, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches the server goes through."""
        server: Any = participants.server
        return self.rounds * steps_of(server.trainee.shard, self.steps, 1)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        server: Any = participants.server
        batches = batches_of(server.trainee, self.steps, 1, number)
        again = partial(steadily, server.name)
        samples, loss = yield from train(server.name, server, number, batches, again)
        return server.model_payload(), [Share(None, samples, loss)]
