"""SplitFed V1: every device has a copy of the server's half; both halves are averaged at a round's end.

Thapa et al., 2022, "SplitFed: When Federated Learning Meets Split Learning" (arXiv:2004.12088): the server
keeps one half per client, the halves learn side by side, and federated averaging joins both sides at each
global epoch. It is federated averaging of the whole model, computed in two places.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import averaged_round, in_averaged_rounds
from slfac_sim.protocols._copies import average_copies, learn_with_copies
from slfac_sim.protocols._exchange import steps_of
from slfac_sim.protocols._participation import Participation

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@settings
class SplitfedV1(ProtocolSettings):
    """`rounds` rounds of `steps` mini-batches per device, or of one local epoch when `steps` is null.

    Averaged are device halves and server halves, weighted by the samples that each used. The server works on
    each mini-batch by itself, when it has arrived, so no device waits for another before the end of the
    round. Our reading: all copies start a round alike, the moments of the server's optimiser included, which
    are averaged with the weights; and a device that does not finish a round contributes to neither average.
    The copies take memory: `slfac_sim.learning.server_copies` says how much. `model_broadcast` and
    `initial_model` are those of `parallel`. Devices may have different cuts (`cut: per_device`, or one named
    for each), since it is whole models that are averaged, block by block.
    """

    references: ClassVar[tuple[str, ...]] = ("thapa2022splitfed",)
    layout: ClassVar[str] = "split"
    cuts_may_differ: ClassVar[bool] = True

    rounds: Count = 8
    steps: Count | None = None
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"
    participation: Participation = Participation()

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt; the order of arrival does not."""
        return self.participation.timing_steers_learning

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps,
            server_step="arrival",
            broadcast=self.model_broadcast,
            averages_copies=True,
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_averaged_rounds(participants, self, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        with participants.server.copies() as copies:
            learning = partial(learn_with_copies, participants, self, copies, number)
            model, shares = yield from averaged_round(participants, self, number, model, learning)
            devices = [share.device for share in shares]
            yield from average_copies(participants, copies, devices, [share.samples for share in shares])
            return copies.joined(model), shares
