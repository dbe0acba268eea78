"""Whole models trained at each device's own pace: nobody waits, and what comes late was begun long ago."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from slfac_sim.effects import Compute, Note, Present, Task
from slfac_sim.foundation.streams import stream
from slfac_sim.protocols import LearningProtocol, Schedule
from slfac_sim.protocols.fedavg import train
from slfac_sim.protocols.kit.course import Course, or_miss
from slfac_sim.protocols.kit.mini_batches import batches_of, step_note
from slfac_sim.protocols.kit.models import announce, hand_in, take

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.protocols import Participants


@dataclass(kw_only=True)
class Trainings(Course):
    """How many trainings there were of each device, which devices train, and what has been taken in.

    `last` is the device that is to be given the model if nothing is left to begin. In `gathered` and
    `waiting` lie the sum and the number of changes that wait for the model to be updated.
    """

    kept: ClassVar[tuple[str, ...]] = (*Course.kept, "trainings", "last", "gathered", "waiting")

    trainings: dict[str, int] = field(default_factory=dict)
    training: set[str] = field(default_factory=set)
    last: str | None = None
    gathered: Any = 0.0
    waiting: int = 0


class AtOwnPace(LearningProtocol):
    """As many trainings as devices have in all rounds, `concurrency` of them at once.

    Whoever begins one is given the model as it is then. When one has ended, a device that does not train, and
    is there, is drawn for the next. A training in which something fails is spent.
    """

    layout: ClassVar[str] = "whole"
    cuts_models: ClassVar[bool] = False
    tells_rounds: ClassVar[bool] = True
    concurrency: int | None = None
    """Devices that train at once; null: all of them."""

    @property
    def schedule(self) -> Schedule:
        """What a round asks of devices, server and air in which order."""
        return Schedule(
            steps=self.steps,
            passes=self.local_epochs,
            at_once=self.concurrency,
            exchanges=0,
            models="mixed",
            broadcast="unicast",
        )

    def check(self, devices: int) -> None:
        """Raise `ValueError` for settings that so many devices cannot meet."""
        super().check(devices)
        if self.concurrency is not None and self.concurrency > devices:
            raise ValueError(f"concurrency must be at most devices.count, {devices} (got {self.concurrency})")

    @abstractmethod
    def received(self, server: Any, body: bytes) -> Any:
        """Return what `server` decodes of the `body` that a device has handed in."""

    @abstractmethod
    def take_in(
        self, participants: Participants, course: Trainings, sent: Any, given: Payload, staleness: int
    ) -> float:
        """Let the model learn from what a device has `sent`; returns with which weight.

        `staleness` is how often the model has changed since the device was `given` it.
        """

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training. Raises `Failure` when all devices are down for ever."""
        done, model = participants.begun()
        devices = participants.devices
        at_once = self.concurrency or len(devices)
        slots = [devices] * at_once if at_once < len(devices) else [[device] for device in devices]
        course = Trainings(self.rounds * len(devices), self.rounds, model, len(slots) == 1)
        if done == 0:
            yield Note("evals", {"round": 0, **participants.evaluate(model.body)})
        else:
            course.go_on(participants.carried())
        yield from course.follow(participants, [self._slot(participants, course, slot) for slot in slots])

    def _slot(self, participants: Participants, course: Trainings, devices: Sequence[Any]) -> Task:
        """One training of `devices` after the other, while some are left; then the model is given back."""
        last = course.last
        while (device := (yield from self._next(participants, course, devices))) is not None:
            handed_in = yield from or_miss(course, device, self._training(participants, course, device))
            course.training.remove(device.name)
            course.last = last = device.name if handed_in else None
            yield from course.end_one(participants)
        for device in devices:
            if device.name == last and last not in course.training:
                yield from or_miss(course, device, self._give(participants, course, device))

    def _next(self, participants: Participants, course: Trainings, devices: Sequence[Any]) -> Task:
        """Return which of `devices` trains next, once one can; None if none will, or nothing is left."""
        server = participants.server.name
        while course.left:
            idle = [device for device in devices if device.name not in course.training]
            names = tuple(device.name for device in idle)
            there = (*names, server)
            if participants.may_be_absent:
                there = yield Present(there)
            up = [device for device in idle if device.name in there]
            if up and server in there:
                return self._begun(participants, course, up)
            if not (yield Present((server,) if up else names, wait=True)):
                return None
        return None

    def _begun(self, participants: Participants, course: Trainings, up: list[Any]) -> Any:
        """Begin a training of one of those that are `up`."""
        course.begin_one()
        device = up[int(stream(participants.seed, "training", course.begun).integers(len(up)))]
        course.training.add(device.name)
        return device

    def _training(self, participants: Participants, course: Trainings, device: Any) -> Task:
        """Give the model to `device`, let it learn, and take in what it hands in; returns True."""
        given, number = (course.common, course.mixings), course.trainings.get(device.name, 0) + 1
        course.trainings[device.name] = number
        if number > 1 or course.mixings > 0 or self.initial_model == "broadcast":
            yield from self._give(participants, course, device)
        for batch in batches_of(device.trainee, self.steps, number, self.local_epochs):
            answers = yield from train(device, course.round, batch)
            step = course.count(device.name, len(batch), answers.loss)
            yield step_note(course.round, step, device.name, len(batch), answers)
        sent = yield from hand_in(participants, device, partial(self.received, participants.server))
        work = partial(self._take_in, participants, course, sent, *given)
        seen = yield Compute(participants.server.name, 4.0 * device.model_values, work, "mix")
        yield Note("staleness", {"device": device.name, "kind": "mix", **seen})
        return True

    def _give(self, participants: Participants, course: Trainings, device: Any) -> Task:
        """Bring the model as it is now to `device`."""
        handout = yield from announce(participants, [device], course.common, "unicast")
        yield from take(participants, device, handout)

    def _take_in(
        self, participants: Participants, course: Trainings, sent: Any, given: Payload, mixings: int
    ) -> dict[str, Any]:
        """Take in what was `sent` by a device that was `given` the model after so many changes of it."""
        staleness = course.mixings - mixings
        weight = self.take_in(participants, course, sent, given, staleness)
        return {"staleness": staleness, "weight": weight}
