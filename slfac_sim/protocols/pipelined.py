"""Parallel split learning with several mini-batches of a device in flight, so that none waits for the air.

Weights are stashed as in PipeDream (Narayanan et al., SOSP 2019, arXiv:1806.03377, section 3.3): a
mini-batch goes back through the weights that it came through, and its update is applied to the newest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from slfac_sim.effects import Excuse, Failed, Failure, Task, Together
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import ProtocolSettings, Schedule
from slfac_sim.protocols._averaged import averaged_round, in_averaged_rounds
from slfac_sim.protocols._exchange import (
    Asked,
    answer,
    batches_of,
    carry,
    cohort_offer,
    cohort_sizes,
    compress,
    step_note,
    steps_of,
)
from slfac_sim.protocols._participation import Participation

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Pipelined(ProtocolSettings):
    """`parallel` with up to `depth` mini-batches of each device in flight; a depth of 1 is `parallel`.

    While one waits for its gradient the device computes the next one's forward pass, with the weights that it
    has then. The server takes one step for each cohort, in the order in which cohorts are complete. At the
    end of a round everything in flight comes back before halves are averaged. A device that fails in one of
    its mini-batches begins no further one in that round. The other settings are those of `parallel`.
    """

    references: ClassVar[tuple[str, ...]] = ("narayanan2019pipedream", "thapa2022splitfed")
    layout: ClassVar[str] = "split"
    stashes_weights: ClassVar[bool] = True

    rounds: Count = 8
    steps: Count | None = None
    depth: Count = 2
    model_broadcast: Literal["multicast", "unicast"] = "multicast"
    initial_model: Literal["seed", "broadcast"] = "seed"
    participation: Participation = Participation()

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt: which updates a forward pass has seen."""
        return self.depth > 1 or self.participation.timing_steers_learning

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps,
            in_flight=self.depth,
            broadcast=self.model_broadcast,
        )

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        yield from in_averaged_rounds(participants, self, partial(self._round, participants))

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through."""
        return self.rounds * sum(steps_of(device, self.steps) for device in participants.devices)

    def _round(self, participants: Participants, number: int, model: Payload) -> Task:
        learning = partial(self._learning, participants, number)
        return (yield from averaged_round(participants, self, number, model, learning))

    def _learning(self, participants: Participants, number: int, devices: Sequence[Device]) -> Iterator[Task]:
        lengths = [steps_of(device, self.steps) for device in devices]
        cohorts = cohort_sizes(lengths)
        for device, length in zip(devices, lengths, strict=True):
            steps = enumerate(cohorts[:length], start=1)
            ahead = _Ahead(number, steps, batches_of(device, self.steps, number))
            yield _lanes(participants, device, ahead, self.depth)


@dataclass(frozen=True)
class _Ahead:
    """What is ahead of a device in round `number`: steps (from 1) with their cohorts, and mini-batches."""

    number: int
    steps: Iterator[tuple[int, int]]
    batches: Iterator[Indices]


@dataclass(frozen=True)
class _InFlight:
    """A mini-batch that the device has encoded, for step `step` of its round, in a cohort of `cohort`."""

    step: int
    cohort: int
    asked: Asked


def _lanes(participants: Participants, device: Device, ahead: _Ahead, depth: int) -> Task:
    """Learn from all that is ahead, up to `depth` mini-batches in flight; returns samples and summed loss.

    Each lane goes on with the next mini-batch when it has its gradient. The second lane opens when the first
    has encoded its first mini-batch, and so on.
    """
    first = yield from _begin(participants, device, ahead)
    lane = _lane(participants, device, ahead, first)
    if depth == 1 or first is None:
        return (yield from lane)
    done = yield Together([lane, _lanes(participants, device, ahead, depth - 1)])
    for result in done:
        if isinstance(result, Failed):
            raise Failure(result.reason)
    return sum(samples for samples, _ in done), sum(loss for _, loss in done)


def _lane(participants: Participants, device: Device, ahead: _Ahead, one: _InFlight | None) -> Task:
    """Learn from `one` and then from what is ahead, one at a time; returns samples and summed loss."""
    samples, loss = 0, 0.0
    while one is not None:
        feedback = yield from _finish(participants, device, ahead, one)
        count = one.asked.samples
        yield step_note(ahead.number, one.step, device, count, feedback)
        samples, loss = samples + count, loss + feedback.loss * count
        one = yield from _begin(participants, device, ahead)
    return samples, loss


def _begin(participants: Participants, device: Device, ahead: _Ahead) -> Task:
    """Compute and encode the next mini-batch; returns it, or None if there is none."""
    step, cohort = next(ahead.steps, (0, 0))
    if step == 0:
        return None
    try:
        return _InFlight(step, cohort, (yield from compress(device, next(ahead.batches))))
    except Failure:
        yield from _excuse(participants, ahead, step)
        raise


def _finish(participants: Participants, device: Device, ahead: _Ahead, one: _InFlight) -> Task:
    """Have the server answer `one` and the device learn from that; returns the server's `Feedback`."""
    missed: tuple[int, ...] = (one.step,)
    try:
        arrived = yield from carry(participants, device, one.asked)
        queue = _queue(ahead.number, one.step)
        feedback = yield cohort_offer(participants, device, one.asked, arrived, queue, one.cohort)
        missed = ()
        yield from answer(participants, device, one.asked, feedback)
    except Failure:
        yield from _excuse(participants, ahead, *missed)
        raise
    return feedback


def _excuse(participants: Participants, ahead: _Ahead, *missed: int) -> Task:
    """Let no cohort wait for the steps `missed`, nor for those ahead, which will not be begun."""
    for step in (*missed, *(later for later, _ in ahead.steps)):
        yield Excuse(participants.server.name, _queue(ahead.number, step))


def _queue(number: int, step: int) -> str:
    return f"cohort {number}.{step}"
