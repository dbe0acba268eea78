"""Split learning in turns: one device at a time, which then hands its half on by way of the server.

Split learning as it was first proposed (Gupta, Raskar, 2018, arXiv:1810.06060).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from slfac_sim.effects import Failure, Present, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import in_averaged_rounds
from slfac_sim.protocols._exchange import batches_of, exchange, step_note, steps_of
from slfac_sim.protocols._halves import announce, hand_in, take
from slfac_sim.protocols._order import Order, in_order
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._rounds import Share

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Sequential(ProtocolSettings):
    """`rounds` rounds, in each of which every device has a turn of `steps` mini-batches or one local epoch.

    Turns come in device order (`order: fixed`) or in one that is drawn for each round (`random`). A turn
    costs two transfers of the half: down from the server, up again when it is over; the server decodes what
    comes and encodes it again, and nothing is averaged.
    The device whose turn is the first of all has its half from the seed, or is sent it (`initial_model:
    broadcast`). The half of a turn that fails is lost: the next device goes on with the one before, and the
    server with what it has learnt. No turn begins while the server is down. `participation.deadline` is that
    of a turn. In the end `model_broadcast` brings the last half to all.
    """

    references: ClassVar[tuple[str, ...]] = ("gupta2018distributed",)
    layout: ClassVar[str] = "split"

    rounds: Count = 8
    steps: Count | None = None
    order: Order = "fixed"
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"
    participation: Participation = Participation()

    def __post_init__(self) -> None:
        if self.participation.enough is not None:
            raise ValueError("participation.enough: devices that have turns do not race each other")

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt."""
        return self.participation.timing_steers_learning

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps,
            at_once=1,
            models="relayed",
            broadcast="unicast",
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_averaged_rounds(participants, self, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        devices = yield from self.participation.choose(participants, number)
        shares: list[Share] = []
        for device in in_order(devices, self.order, number, participants.seed):
            yield from _server_up(participants, number)
            known = number == 1 and self.initial_model == "seed" and not shares
            turn = self._turn(participants, device, number, None if known else model)
            for share in (yield from self.participation.gather(number, [device], [turn])):
                model = share.state
                shares.append(share)
        return model, shares

    def _turn(self, participants: Participants, device: Device, number: int, model: Payload | None) -> Task:
        """One device's turn: take the half, learn from its batches, hand the half on."""
        if model is not None:
            handout = yield from announce(participants, [device], model, "unicast")
            yield from take(participants, device, handout)
        samples, loss = 0, 0.0
        for step, batch in enumerate(batches_of(device, self.steps, number), start=1):
            name = f"{number}.{device.name}.{step}"
            feedback = yield from exchange(participants, device, batch, name, cohort=1)
            yield step_note(number, step, device, len(batch), feedback)
            samples, loss = samples + len(batch), loss + feedback.loss * len(batch)
        state = yield from hand_in(participants, device)
        return Share(participants.server.in_common(state), samples, loss)


def _server_up(participants: Participants, number: int) -> Task:
    """Wait until the server is up: else all turns of an outage would be lost at once."""
    if participants.may_be_absent and not (yield Present((participants.server.name,), wait=True)):
        raise Failure(f"round {number} cannot go on: the server is down for good")
