"""How far a training without rounds of its own has come, in rounds as those of other protocols are long."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from slfac_sim.effects import Failure, Note, Over, Task, Together

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device
    from slfac_sim.protocols.kit.participation import Participants


@dataclass
class Course:
    """Of a `whole` of mini-batches, or trainings, in `rounds` rounds so many have `begun` and `ended`.

    `common` is what all have in common, after so many `mixings`. Where it is `quiet` one is under way at a
    time: nothing is when it has ended, and a training can go on from the end of a round.
    """

    kept: ClassVar[tuple[str, ...]] = ("begun", "ended", "mixings")
    """Attributes in which all lies that lasts beyond such a round, as plain values (`learning.states`)."""

    whole: int
    rounds: int
    common: Payload
    quiet: bool
    begun: int = 0
    ended: int = 0
    mixings: int = 0
    _steps: Counter[str] = field(default_factory=Counter)  # of each device in this round
    _samples: int = 0
    _loss: float = 0.0

    @property
    def left(self) -> int:
        """How much nobody has begun."""
        return self.whole - self.begun

    @property
    def round(self) -> int:
        """The number of the round that is under way."""
        return 1 + self.ended * self.rounds // self.whole

    def begin_one(self) -> bool:
        """Begin one more, if there is one left."""
        there = self.left > 0
        self.begun += there
        return there

    def count(self, device: str, samples: int, loss: float) -> int:
        """Count a mini-batch from which `device` has learnt; returns how many that makes in this round."""
        self._steps[device] += 1
        self._samples += samples
        self._loss += samples * loss
        return self._steps[device]

    def end_one(self, participants: Participants) -> Task:
        """Count one that has ended, well or not, and close the round that it ends, if any.

        Raises `Over` if that was the last one, whatever is under way elsewhere: participants have stopped.
        """
        round_number = self.round
        self.ended += 1
        if self.round == round_number:
            return
        if participants.due(round_number, self.rounds):
            figures = participants.evaluate(self.common.body, round_number == self.rounds)
            yield Note("evals", {"round": round_number, **figures})
        yield Note("rounds", {"round": round_number, **self._close_round()})
        if self.quiet:
            participants.keep(round_number, self.common, self.state())
        if participants.stopped:
            raise Over
        if self.ended < self.whole:
            participants.begin_round(self.round)

    def follow(self, participants: Participants, tasks: Sequence[Task]) -> Task:
        """Run the `tasks` in which all is done, side by side; one alone is the training itself.

        Raises `Failure` if something is left when they have ended.
        """
        if participants.stopped:
            return
        participants.begin_round(self.round)
        if self.quiet:
            yield from tasks[0]
        else:
            yield Together(tasks)
        if self.ended < self.whole:
            raise Failure(f"round {self.round} cannot end: no device can reach the server any more")

    def state(self) -> dict[str, Any]:
        """Return what `kept` names."""
        return {name: getattr(self, name) for name in self.kept}

    def go_on(self, state: Mapping[str, Any]) -> None:
        """Go on as the one that gave `state` would."""
        for name in self.kept:
            setattr(self, name, state[name])

    def _close_round(self) -> dict[str, Any]:
        """Return the sums of the round for its row, and begin the next."""
        samples, loss = self._samples, self._loss / self._samples if self._samples else math.nan
        row = {"devices": len(self._steps), "samples": samples, "loss": loss}
        self._steps, self._samples, self._loss = Counter(), 0, 0.0
        return row


def or_miss(course: Course, device: Device, task: Task) -> Task:
    """Return what becomes of `task`; None, and a row of `misses`, if it fails."""
    try:
        return (yield from task)
    except Failure as failure:
        yield Note("misses", {"round": course.round, "device": device.name, "reason": failure.reason})


def discount(staleness: int, exponent: float) -> float:
    """Return 1 / (1 + staleness)^exponent (polynomial; Xie et al., 2019, arXiv:1903.03934, 5.2).

    1 for what is not stale; with exponent 0 for everything.
    """
    return float((1.0 + staleness) ** -exponent)
