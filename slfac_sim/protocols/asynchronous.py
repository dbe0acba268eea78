"""Asynchronous split learning: no barrier, every device at its own pace, the server steps on each arrival.

What comes late counts for less. Device halves are mixed into a common one as they are handed in, as FedAsync
does (Xie, Koyejo, Gupta, 2019, arXiv:1903.03934, algorithm 1 and section 5.2).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from slfac_sim.effects import Compute, Failure, Note, Present, Task, Together
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, NotNegative
from slfac_sim.protocols import LearningProtocol, Schedule
from slfac_sim.protocols.kit.exchange import downlink, uplink
from slfac_sim.protocols.kit.mini_batches import batches_of, step_note
from slfac_sim.protocols.kit.models import announce, hand_in, take

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.batches import Indices
    from slfac_sim.learning.halves import Feedback
    from slfac_sim.learning.participants import Arrived, Device
    from slfac_sim.protocols import Participants


@settings
class Asynchronous(LearningProtocol):
    """As many mini-batches as all rounds of all devices have, begun by whoever is ready.

    The server takes a step for each mini-batch alone, with its learning rate times 1/(1+s)^a, s being the
    number of server steps since the one from which the device half had last learnt. After `steps`
    mini-batches, and when none is left to begin, a device hands in its half h. It is given back w = (1 - m) w
    + m h and goes on from there: w is what all have in common, m is `mixing` times 1/(1+s)^a, and s the
    number of such mixings since the one that it was given last. A mini-batch during which something fails is
    spent. With one device and a `mixing` of 1 this is ordinary training; a device that is down when the last
    mini-batch is begun hands in no more.

    A row of `rounds` is written whenever as many mini-batches have ended as a round of `parallel` has, and
    then w is evaluated. A training that is resumed begins again: there is no moment at which all is quiet.
    """

    references: ClassVar[tuple[str, ...]] = ("xie2019fedasync",)

    rounds: Count = 8
    """How long the training is: as many mini-batches, over all devices, as so many rounds of `parallel` have.
    """
    steps: Count | None = None
    """Mini-batches after which a device hands in its half; null: a pass over its samples."""
    mixing: Annotated[float, Field(gt=0.0, le=1.0)] = 0.6
    """Weight m of a half that is not stale in what all have in common, alpha of FedAsync."""
    staleness_exponent: NotNegative = 0.5
    """Exponent a of 1/(1+s)^a, by which what is s steps or mixings stale counts for less; with 0 it counts in
    full.
    """

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(steps=self.steps, server_step="arrival", models="mixed", broadcast="unicast")

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training. Raises `Failure` when all devices are down for ever."""
        _, common = participants.begun()
        yield Note("evals", {"round": 0, **participants.evaluate(common.body)})
        course = _Course(self.device_steps(participants), self.rounds, common)
        yield Together([self._device(participants, course, device) for device in participants.devices])
        if course.ended < course.whole:
            raise Failure(f"round {course.round} cannot end: no device can reach the server any more")

    def _device(self, participants: Participants, course: _Course, device: Device) -> Task:
        """One device: mini-batch after mini-batch, while there are some that nobody has begun."""
        member = _Member(device)
        while (yield from _both_up(participants, device)) and course.begin_one():
            mixed = yield from _or_miss(course, device, self._turn(participants, course, member))
            yield from self._end_one(participants, course)
            if mixed is not None:
                yield from _or_miss(course, device, self._take(participants, member, *mixed))

    def _turn(self, participants: Participants, course: _Course, member: _Member) -> Task:
        """Learn from the next mini-batch, and hand in if it was the last of its contribution, or of all.

        Returns the common half then, with the number of its mixing.
        """
        if not member.batches:
            member.contributions += 1
            member.batches = list(batches_of(member.device, self.steps, member.contributions))[::-1]
        yield from self._learn(participants, course, member, member.batches.pop())
        if member.batches and course.left:
            return None
        return (yield from self._share(participants, course, member))

    def _learn(self, participants: Participants, course: _Course, member: _Member, batch: Indices) -> Task:
        """One mini-batch, there and back, with a step of the server for it alone."""
        device = member.device
        in_flight, arrived = yield from uplink(participants, device, batch)
        work = partial(self._step, participants, course, member, arrived)
        train = Compute(participants.server.name, in_flight.train_flops, work, "train")
        feedback, server_step, seen = yield train
        yield Note("staleness", {"device": device.name, "kind": "step", **seen})
        yield from downlink(participants, device, in_flight, feedback)
        member.learnt_from = server_step
        step = course.count(device.name, in_flight.samples, feedback.loss)
        yield step_note(course.round, step, device.name, in_flight.samples, feedback)

    def _step(
        self, participants: Participants, course: _Course, member: _Member, arrived: Arrived
    ) -> tuple[Feedback, int, dict[str, Any]]:
        """Take the server's next step; returns feedback, the step's number, and how stale it was."""
        staleness = course.server_steps - member.learnt_from
        weight = discount(staleness, self.staleness_exponent)
        (feedback,) = participants.server.train([arrived], weight)
        course.server_steps += 1
        return feedback, course.server_steps, {"staleness": staleness, "weight": weight}

    def _share(self, participants: Participants, course: _Course, member: _Member) -> Task:
        """Hand in the device half, to be mixed into the common one; returns that and the mixing's number."""
        device = member.device
        state = yield from hand_in(participants, device)
        work = partial(self._mix, participants, course, member, state)
        model, mixing, seen = yield Compute(participants.server.name, 4.0 * device.model_values, work, "mix")
        yield Note("staleness", {"device": device.name, "kind": "mix", **seen})
        return model, mixing

    def _take(self, participants: Participants, member: _Member, model: Payload, mixing: int) -> Task:
        """Give the common half after mixing number `mixing` to the device, which goes on from it."""
        handout = yield from announce(participants, [member.device], model, "unicast")
        yield from take(participants, member.device, handout)
        member.given = mixing

    def _mix(
        self, participants: Participants, course: _Course, member: _Member, state: Any
    ) -> tuple[Payload, int, dict[str, Any]]:
        """Mix `state` into the common half; returns that, the mixing's number, and how stale it was."""
        server, staleness = participants.server, course.mixings - member.given
        weight = self.mixing * discount(staleness, self.staleness_exponent)
        before = server.state_of(course.common)
        course.common = server.average([before, state], [1.0 - weight, weight])
        course.mixings += 1
        return course.common, course.mixings, {"staleness": staleness, "weight": weight}

    def _end_one(self, participants: Participants, course: _Course) -> Task:
        """Count a mini-batch that has ended, well or not, and close the round that it ends, if any."""
        round_number = course.round
        course.ended += 1
        if course.round == round_number:
            return
        if participants.due(round_number, self.rounds):
            figures = participants.evaluate(course.common.body, round_number == self.rounds)
            yield Note("evals", {"round": round_number, **figures})
        yield Note("rounds", {"round": round_number, **course.close_round()})


@dataclass
class _Member:
    """A device, the mini-batches left of its contribution (last first), and what it has learnt from.

    `learnt_from` is the number of the server step whose gradient its half has last learnt from, `given` that
    of the mixing whose outcome it has last taken; 0 for none.
    """

    device: Device
    batches: list[Indices] = field(default_factory=list)
    contributions: int = 0
    learnt_from: int = 0
    given: int = 0


@dataclass
class _Course:
    """How far all are: of `whole` mini-batches in `rounds` rounds so many have `begun` and `ended`."""

    whole: int
    rounds: int
    common: Payload
    begun: int = 0
    ended: int = 0
    server_steps: int = 0
    mixings: int = 0
    _steps: Counter[str] = field(default_factory=Counter)  # of each device in this round
    _samples: int = 0
    _loss: float = 0.0

    @property
    def left(self) -> int:
        """Mini-batches that nobody has begun."""
        return self.whole - self.begun

    @property
    def round(self) -> int:
        """The number of the round that is under way."""
        return 1 + self.ended * self.rounds // self.whole

    def begin_one(self) -> bool:
        """Begin a mini-batch, if there is one left."""
        there = self.left > 0
        self.begun += there
        return there

    def count(self, device: str, samples: int, loss: float) -> int:
        """Count a mini-batch from which `device` has learnt; returns how many that makes in this round."""
        self._steps[device] += 1
        self._samples += samples
        self._loss += samples * loss
        return self._steps[device]

    def close_round(self) -> dict[str, Any]:
        """Return the sums of the round for its row, and begin the next."""
        samples, loss = self._samples, self._loss / self._samples if self._samples else math.nan
        row = {"devices": len(self._steps), "samples": samples, "loss": loss}
        self._steps, self._samples, self._loss = Counter(), 0, 0.0
        return row


def _or_miss(course: _Course, device: Device, task: Task) -> Task:
    """Return what becomes of `task`; None, and a row of `misses`, if it fails."""
    try:
        return (yield from task)
    except Failure as failure:
        yield Note("misses", {"round": course.round, "device": device.name, "reason": failure.reason})


def _both_up(participants: Participants, device: Device) -> Task:
    """Wait until `device` and the server are up; returns False if one of them never will be."""
    hosts = (device.name, participants.server.name)
    while participants.may_be_absent and (yield Present(hosts)) != hosts:
        for host in hosts:
            if not (yield Present((host,), wait=True)):
                return False
    return True


def discount(staleness: int, exponent: float) -> float:
    """Return 1 / (1 + staleness)^exponent (polynomial; Xie et al., 2019, arXiv:1903.03934, 5.2).

    1 for what is not stale; with exponent 0 for everything.
    """
    return float((1.0 + staleness) ** -exponent)
