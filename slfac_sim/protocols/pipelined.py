"""Parallel split learning with several mini-batches of a device in flight, so that none waits for the air.

Weights are stashed as in PipeDream (Narayanan et al., SOSP 2019, arXiv:1806.03377, section 3.3): a
mini-batch goes back through the weights that it came through, and its update is applied to the newest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from slfac_sim.effects import Excuse, Failed, Failure, Task, Together
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols import Broadcast, InitialModel, Participation, Schedule
from slfac_sim.protocols.fedavg import FederatedAveraging
from slfac_sim.protocols.kit.exchange import InFlight, Meeting, downlink, encode, meetings, on_cohort, send
from slfac_sim.protocols.kit.mini_batches import batches_of, step_note, steps_of

if TYPE_CHECKING:
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols import Participants


@settings
class Pipelined(FederatedAveraging):
    """`parallel` with several mini-batches of each device in flight.

    While one waits for its gradient the device computes the next one's forward pass, with the weights that it
    has then. The server takes one step for each cohort, in the order in which cohorts are complete. At the
    end of a round everything in flight comes back before halves are averaged. A device that fails in one of
    its mini-batches begins no further one in that round.
    """

    references: ClassVar[tuple[str, ...]] = ("narayanan2019pipedream", "thapa2022splitfed")
    stashes_weights: ClassVar[bool] = True

    rounds: Count = 8
    steps: Count | None = None
    depth: Count = 2
    """Most mini-batches of a device in flight: a larger depth hides more of the time on the air, and has
    gradients of older weights; 1 is `parallel`.
    """
    model_broadcast: Broadcast = "multicast"
    initial_model: InitialModel = "seed"
    participation: Participation = Participation()

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, in_flight=self.depth, broadcast=self.model_broadcast)

    def learning(
        self, participants: Participants, round_number: int, devices: Sequence[Device]
    ) -> Iterator[Task]:
        """Yield the task of each of `devices`."""
        lengths = [steps_of(device, self.steps) for device in devices]
        all_ahead = meetings(round_number, lengths)
        for device, length in zip(devices, lengths, strict=True):
            ahead = _Ahead(iter(all_ahead[:length]), batches_of(device, self.steps, round_number))
            yield _lanes(participants, device, ahead, self.depth)


@dataclass(frozen=True)
class _Ahead:
    """What is ahead of a device in a round: its meetings with the others, and its mini-batches."""

    meetings: Iterator[Meeting]
    batches: Iterator[Indices]


@dataclass(frozen=True)
class _Begun:
    """A mini-batch that the device has encoded, and the meeting that it is for."""

    meeting: Meeting
    in_flight: InFlight


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


def _lane(participants: Participants, device: Device, ahead: _Ahead, begun: _Begun | None) -> Task:
    """Learn from what is `begun` and then from what is ahead; returns samples and summed loss."""
    samples, loss = 0, 0.0
    while begun is not None:
        feedback = yield from _finish(participants, device, ahead, begun)
        count = begun.in_flight.samples
        yield step_note(begun.meeting.round_number, begun.meeting.step, device.name, count, feedback)
        samples, loss = samples + count, loss + feedback.loss * count
        begun = yield from _begin(participants, device, ahead)
    return samples, loss


def _begin(participants: Participants, device: Device, ahead: _Ahead) -> Task:
    """Compute and encode the next mini-batch; returns it, or None if there is none."""
    meeting = next(ahead.meetings, None)
    if meeting is None:
        return None
    try:
        return _Begun(meeting, (yield from encode(device, next(ahead.batches))))
    except Failure:
        yield from _excuse(participants, ahead, meeting)
        raise


def _finish(participants: Participants, device: Device, ahead: _Ahead, begun: _Begun) -> Task:
    """Have the server answer what is `begun`, and the device learn; returns the server's `Feedback`."""
    missed: tuple[Meeting, ...] = (begun.meeting,)
    try:
        arrived = yield from send(participants, device, begun.in_flight)
        feedback = yield on_cohort(participants, device, begun.in_flight, arrived, begun.meeting)
        missed = ()
        return (yield from downlink(participants, device, begun.in_flight, feedback))
    except Failure:
        yield from _excuse(participants, ahead, *missed)
        raise


def _excuse(participants: Participants, ahead: _Ahead, *missed: Meeting) -> Task:
    """Let no cohort wait at the meetings `missed`, nor at those ahead, for which nothing will be begun."""
    for meeting in (*missed, *ahead.meetings):
        yield Excuse(participants.server.name, meeting.queue)
