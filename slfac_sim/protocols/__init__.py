"""Protocols: how devices and server learn together, written as generators that yield effects.

One file per protocol, chosen by `kind:` in the scenario: a frozen dataclass of settings that inherits from
`RoundProtocol` (and then writes one `round`) or from `LearningProtocol` (and writes all of `run`). A protocol
reads like the figure in its paper. It is a pure function of the replies that it is sent: it reads no clock
and knows no network. What protocols are written with is in `slfac_sim.protocols.kit`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from slfac_sim.effects import Note, Task
from slfac_sim.foundation.plugins import Family
from slfac_sim.protocols.kit.mini_batches import steps_of
from slfac_sim.protocols.kit.models import hand_out
from slfac_sim.protocols.kit.participation import Participants, Participation
from slfac_sim.scenario.schedule import Broadcast, Schedule

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload

__all__ = [
    "Broadcast",
    "InitialModel",
    "LearningProtocol",
    "Participants",
    "Participation",
    "RoundProtocol",
    "Schedule",
    "Share",
]

InitialModel = Literal["seed", "broadcast"]


class LearningProtocol(ABC):
    """What every protocol inherits: its settings are a frozen dataclass of which this is the base.

    What a protocol does not say of itself holds as it stands here; a member without `ClassVar` may be one of
    its settings.
    """

    layout: ClassVar[str] = "split"
    """Where the parts of the model lie: a module of `slfac_sim.learning.layouts`, or a dotted name."""
    cuts_models: ClassVar[bool] = True
    """Whether that has models cut; else each lies whole in one place, and `cut` has no effect."""
    cuts_may_differ: ClassVar[bool] = False
    """Whether whole models are averaged, so that devices may be cut in different places."""
    servers: ClassVar[Literal["one", "edges"]] = "one"
    """Whether it learns with one server, or with several `edges` and a cloud above them."""
    tells_rounds: ClassVar[bool] = False
    """Whether `run` tells the participants when a round begins, and ends when these have `stopped`."""
    stashes_weights: ClassVar[bool] = False
    """Whether several mini-batches of a device are under way at once."""
    rounds: int
    """How long the training is, in rounds of `steps` mini-batches."""
    steps: int | None = None
    """Mini-batches of a device in a round; null: one pass over its samples (a local epoch)."""
    local_epochs: int = 1
    """Passes over a device's samples in a round, where `steps` is null."""
    model_broadcast: Broadcast = "multicast"
    """Whether the server sends a model once for all at the slowest device's rate (`multicast`), or once for
    each device at that device's own (`unicast`).
    """
    initial_model: InitialModel = "seed"
    """Whether devices have the initial model from the seed at no cost (`seed`), or are sent it (`broadcast`).
    """
    participation: Participation = Participation()
    """Who is asked to take part in a round, and how long the round waits for them."""
    evaluate_devices: int | None = None
    """Devices, the first in device order, over which an evaluation is the mean. Each takes this host a pass
    over the test set, and no simulated time.
    """
    send: Literal["model", "difference"] = "model"
    """What devices send: the `model`, or its `difference` to what they were given, which suits coarse codecs.
    """
    mu: float = 0.0
    """Weight of the squared distance to the model that a round began with, in the loss of whole models."""

    def check(self, devices: int) -> None:
        """Raise `ValueError` for settings that so many devices cannot meet."""
        self.participation.check(devices)

    @property
    def schedule(self) -> Schedule | None:
        """What a round asks of devices, server and air in which order; None: there is no forecast."""
        return None

    @property
    def timing_steers_learning(self) -> bool | None:
        """Whether another clock could change what is learnt (deadlines, order of arrival); then no replay.

        None, without a schedule: the protocol does not say, which counts as True.
        """
        schedule = self.schedule
        if schedule is None:
            return None
        return schedule.order_matters or self.participation.timing_steers_learning

    @abstractmethod
    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through, for the progress display."""
        passes = [steps_of(device, self.steps, self.local_epochs) for device in participants.devices]
        return self.rounds * sum(passes)


@dataclass(frozen=True)
class Share:
    """What a device contributed to a round: its part's state, the samples it used, their summed loss."""

    device: str
    state: Any
    samples: int
    loss: float


class RoundProtocol(LearningProtocol):
    """A protocol of rounds, and what follows from that: evaluations, rows of `rounds`, checkpoints, resuming.

    All that lasts from one round to the next lies with the participants and in one model; a protocol's own
    variables live no longer than a round. So a training can go on from the end of any round.
    """

    tells_rounds: ClassVar[bool] = True
    hands_out_last: ClassVar[bool] = True
    """Whether the model that the last round leaves is brought to all devices."""

    @abstractmethod
    def round(self, participants: Participants, round_number: int, model: Payload) -> Task:
        """Yield the effects of one round, which begins with `model`, what the devices have in common.

        Returns that as it is after the round, and the `Share`s of the devices that finished it.
        """

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        done, model = participants.begun()
        if done == 0:
            yield Note("evals", {"round": 0, **participants.evaluate(model.body)})
        for round_number in range(done + 1, self.rounds + 1):
            if participants.stopped:
                break
            participants.begin_round(round_number)
            model, shares = yield from self.round(participants, round_number, model)
            if participants.due(round_number, self.rounds):
                figures = participants.evaluate(model.body, round_number == self.rounds)
                yield Note("evals", {"round": round_number, **figures})
            yield Note("rounds", _sums(round_number, shares))
            participants.keep(round_number, model)
        if self.hands_out_last and not participants.stopped:
            yield from self.hand_out_last(participants, model)

    def hand_out_last(self, participants: Participants, model: Payload) -> Task:
        """Bring the model that the last round leaves to all devices that are there."""
        devices = yield from self.participation.present(participants)
        yield from hand_out(participants, devices, model, self.model_broadcast)

    def is_known(self, round_number: int) -> bool:
        """Return whether devices have the model that the round begins with from the seed, at no cost."""
        return round_number == 1 and self.initial_model == "seed"


def _sums(round_number: int, shares: Sequence[Share]) -> dict[str, Any]:
    samples = sum(share.samples for share in shares)
    loss = sum(share.loss for share in shares) / samples if samples else math.nan
    return {"round": round_number, "devices": len(shares), "samples": samples, "loss": loss}


FAMILY = Family(
    LearningProtocol,
    shared=("rounds", "steps", "participation", "model_broadcast", "initial_model", "local_epochs"),
)
