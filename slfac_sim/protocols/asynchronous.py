"""Asynchronous split learning: no barrier, every device at its own pace, the server steps on each arrival.

What comes late counts for less. Device halves are mixed into a common one as they are handed in, as FedAsync
does (Xie, Koyejo, Gupta, 2019, arXiv:1903.03934, algorithm 1 and section 5.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from slfac_sim.effects import Compute, Note, Present, Task
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, NotNegative
from slfac_sim.protocols import LearningProtocol, Schedule
from slfac_sim.protocols.kit.course import Course, discount, or_miss
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
    then w is evaluated. With one device nothing is under way then, and a training can go on from there; with
    several there is no moment at which all is quiet, and one that is resumed begins again.
    """

    references: ClassVar[tuple[str, ...]] = ("xie2019fedasync",)
    tells_rounds: ClassVar[bool] = True

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
        done, common = participants.begun()
        members = [_Member(device) for device in participants.devices]
        whole = self.device_steps(participants)
        course = _Course(whole, self.rounds, common, len(members) == 1, members=members)
        if done == 0:
            yield Note("evals", {"round": 0, **participants.evaluate(common.body)})
        else:
            course.go_on(participants.carried())
        yield from course.follow(
            participants, [self._device(participants, course, member) for member in members]
        )

    def _device(self, participants: Participants, course: _Course, member: _Member) -> Task:
        """One device: mini-batch after mini-batch, while there are some that nobody has begun."""
        yield from self._take(participants, course, member)
        while (yield from _both_up(participants, member.device)) and course.begin_one():
            turn = self._turn(participants, course, member)
            member.owed = yield from or_miss(course, member.device, turn)
            yield from course.end_one(participants)
            yield from self._take(participants, course, member)

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

    def _take(self, participants: Participants, course: _Course, member: _Member) -> Task:
        """Give the common half that is owed to a device, if it is, which goes on from it."""
        if member.owed is not None:
            model, mixing = member.owed
            yield from or_miss(course, member.device, self._given(participants, member, model, mixing))

    def _given(self, participants: Participants, member: _Member, model: Payload, mixing: int) -> Task:
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


@dataclass
class _Member:
    """A device, the mini-batches left of its contribution (last first), and what it has learnt from.

    `learnt_from` is the number of the server step whose gradient its half has last learnt from, `given` that
    of the mixing whose outcome it has last taken; 0 for none. It is `owed` the outcome of that mixing.
    """

    kept: ClassVar[tuple[str, ...]] = ("contributions", "learnt_from", "given")

    device: Device
    batches: list[Indices] = field(default_factory=list)
    contributions: int = 0
    learnt_from: int = 0
    given: int = 0
    owed: tuple[Payload, int] | None = None


@dataclass(kw_only=True)
class _Course(Course):
    """How far all `members` are, and how many steps the server has taken."""

    kept: ClassVar[tuple[str, ...]] = (*Course.kept, "server_steps")

    members: list[_Member]
    server_steps: int = 0

    def state(self) -> dict[str, Any]:
        """Return all that lasts beyond a round of the only member, with which a contribution of it ends."""
        (member,) = self.members
        own = {name: getattr(member, name) for name in member.kept}
        return {**super().state(), "owed": member.owed is not None, **own}

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Go on as the one that gave `state` would."""
        super().go_on(state)
        (member,) = self.members
        for name in member.kept:
            setattr(member, name, state[name])
        if state["owed"]:
            member.owed = self.common, self.mixings


def _both_up(participants: Participants, device: Device) -> Task:
    """Wait until `device` and the server are up; returns False if one of them never will be."""
    hosts = (device.name, participants.server.name)
    while participants.may_be_absent and (yield Present(hosts)) != hosts:
        for host in hosts:
            if not (yield Present((host,), wait=True)):
                return False
    return True
