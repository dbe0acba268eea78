"""Parallel split learning: all devices at once, one batched step of the server over the cohort.

Device-side halves are averaged at the end of each round, as SplitFed V1 does (Thapa et al., 2022,
arXiv:2004.12088, section 3); the server keeps one half and takes one step over the whole cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from slfac_sim.effects import Task
from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import settings
from slfac_sim.protocols._exchange import batches_of, cohort_sizes, in_cohorts, steps_of
from slfac_sim.protocols._halves import announce, average, hand_in, hand_out, take
from slfac_sim.protocols._participation import Participation
from slfac_sim.protocols._rounds import Share, in_rounds
from slfac_sim.protocols._thapa import SPLITFED

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants

Count = Annotated[int, Field(ge=1)]


@settings
class Parallel:
    """`rounds` rounds of `steps` mini-batches per device, or of one local epoch when `steps` is null.

    There are two barriers: the server waits for the whole cohort of a step, and for all device halves at
    the end of a round. A device that has its gradient goes on at once. In a local epoch, devices that
    have run out of batches leave the cohort. `model_broadcast` sends the average once at the slowest
    device's rate (`multicast`) or once for each device (`unicast`). Initial halves come from the seed at
    no cost, or are sent by the server (`initial_model: broadcast`).
    """

    references: ClassVar[tuple[Reference, ...]] = (SPLITFED,)
    layout: ClassVar[str] = "split"

    rounds: Count = 8
    steps: Count | None = None
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"
    participation: Participation = Participation()

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt."""
        return self.participation.timing_steers_learning

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        model = yield from in_rounds(participants, self.rounds, partial(self._round, participants))
        devices = yield from self.participation.present(participants)
        yield from hand_out(participants, devices, model, self.model_broadcast)

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        devices = yield from self.participation.choose(participants, number)
        known = number == 1 and self.initial_model == "seed"
        if not known:
            yield from announce(participants, devices, model, self.model_broadcast)
        lengths = [steps_of(device, self.steps) for device in devices]
        cohorts = cohort_sizes(lengths)
        tasks = [
            self._device_round(participants, device, number, None if known else model, cohorts[:length])
            for device, length in zip(devices, lengths, strict=True)
        ]
        shares = yield from self.participation.gather(number, devices, tasks)
        model = yield from average(participants, shares, model)
        return model, shares

    def _device_round(
        self,
        participants: Participants,
        device: Device,
        number: int,
        model: Payload | None,
        cohorts: Sequence[int],
    ) -> Task:
        """One device's round: take the average, learn from its batches, hand in its half."""
        if model is not None:
            yield from take(participants, device, model, self.model_broadcast)
        batches = batches_of(device, self.steps, number)
        samples, loss = yield from in_cohorts(participants, device, number, batches, cohorts)
        state = yield from hand_in(participants, device)
        return Share(state, samples, loss)
