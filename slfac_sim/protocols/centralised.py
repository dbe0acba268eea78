"""Centralised training: all samples lie on the server, and no network is used; the ceiling of accuracy."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import RoundProtocol, Schedule, Share
from slfac_sim.protocols.fedavg import train
from slfac_sim.protocols.kit.mini_batches import batches_of, learn, steps_of
from slfac_sim.protocols.kit.participation import steadily

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@settings
class Centralised(RoundProtocol):
    """All samples are learnt from on the server.

    A mini-batch has devices x `learning.batch` samples, as many as all devices together use in a step of the
    parallel protocol, so that rounds compare. The server's name is in the column `device` of `steps`, and a
    round counts one device. The settings `cut`, `codec` and `network` of the scenario have no effect.
    """

    layout: ClassVar[str] = "whole"
    cuts_models: ClassVar[bool] = False
    hands_out_last: ClassVar[bool] = False

    rounds: Count = 8
    steps: Count | None = None
    """Mini-batches in a round; null: one pass over all samples."""

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, exchanges=0, models="kept", on_server=True)

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches the server goes through."""
        server: Any = participants.server
        return self.rounds * steps_of(server.trainee, self.steps)

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Let the server train."""
        server: Any = participants.server
        batches = batches_of(server.trainee, self.steps, round_number)
        exchange = partial(train, server, do=partial(steadily, participants))
        samples, loss = yield from learn(server.name, round_number, batches, exchange)
        return server.model_payload(), [Share(server.name, None, samples, loss)]
