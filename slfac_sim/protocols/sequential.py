"""Split learning in turns: one device at a time, which then hands its half on by way of the server.

Split learning as it was first proposed (Gupta, Raskar, 2018, arXiv:1810.06060).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from slfac_sim.effects import Failure, Present, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, RoundProtocol, Schedule, Share
from slfac_sim.protocols.kit.exchange import exchange, meetings
from slfac_sim.protocols.kit.mini_batches import batches_of, learn, steps_of
from slfac_sim.protocols.kit.models import announce, hand_in, take
from slfac_sim.protocols.kit.participation import Order, in_order

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Sequential(RoundProtocol):
    """In a round every device has a turn, one after the other.

    A turn costs two transfers of the half: down from the server, up again when it is over; the server decodes
    what comes and encodes it again, and nothing is averaged. The half of a turn that fails is lost: the next
    device goes on with the one before, and the server with what it has learnt. No turn begins while the
    server is down. In the end the last half is brought to all.
    """

    references: ClassVar[tuple[str, ...]] = ("gupta2018distributed",)

    rounds: Count = 8
    steps: Count | None = None
    order: Order = "fixed"
    """Whether turns come in device order (`fixed`) or in one that is drawn for each round (`random`)."""
    model_broadcast: Broadcast = "multicast"
    """Whether the last half, when all rounds are over, is sent once for all at the slowest device's rate
    (`multicast`), or once for each device at that device's own (`unicast`).
    """
    initial_model: InitialModel = "seed"
    """Whether the device whose turn is the first of all has its half from the seed at no cost (`seed`), or is
    sent it (`broadcast`).
    """
    participation: Participation = Participation()
    """Who is asked to take part in a round; `deadline` is that of a turn, and `enough` cannot be set."""

    def __post_init__(self) -> None:
        if self.participation.enough is not None:
            raise ValueError("participation.enough: devices that have turns do not race each other")

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, at_once=1, models="relayed", broadcast="unicast")

    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Give every device that takes part its turn; the half of each goes to the next."""
        devices = yield from self.participation.choose(participants, round_number)
        shares: list[Share] = []
        for device in in_order(devices, self.order, round_number, participants.seed):
            yield from _server_up(participants, round_number)
            is_known = self.is_known(round_number) and not shares
            turn = self._turn(participants, device, round_number, None if is_known else model)
            for share in (yield from self.participation.gather(round_number, [device], [turn])):
                model = share.state
                shares.append(share)
        return model, shares

    def _turn(
        self, participants: Participants, device: Device, round_number: int, model: Payload | None
    ) -> Task:
        """One device's turn: take the half, learn from its batches, hand the half on."""
        if model is not None:
            handout = yield from announce(participants, [device], model, "unicast")
            yield from take(participants, device, handout)
        alone = meetings(round_number, [steps_of(device, self.steps)], device.name)
        batches = batches_of(device, self.steps, round_number)
        exchanged = partial(exchange, participants, device, alone)
        samples, loss = yield from learn(device.name, round_number, batches, exchanged)
        state = yield from hand_in(participants, device)
        return Share(device.name, participants.server.in_common(state), samples, loss)


def _server_up(participants: Participants, round_number: int) -> Task:
    """Wait until the server is up: else all turns of an outage would be lost at once."""
    if participants.may_be_absent and not (yield Present((participants.server.name,), wait=True)):
        raise Failure(f"round {round_number} cannot go on: the server is down for good")
