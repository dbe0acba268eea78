"""Protocols: how devices and server learn together, written as generators that yield effects.

One file per protocol, chosen by `kind:` in the scenario: a frozen dataclass of settings with the method
`run`. A protocol reads like the figure in its paper. It is a pure function of the replies that it is
sent: it reads no clock and knows no network.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from slfac_sim.effects import Task
from slfac_sim.foundation.plugins import Family
from slfac_sim.protocols._participation import Participation
from slfac_sim.scenario.schedule import Schedule

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device, EdgeServer


__all__ = ["Participants", "Participation", "ProtocolSettings", "Schedule"]


class Participants(Protocol):
    """Who learns together, and how the outcome is measured."""

    @property
    def devices(self) -> Sequence[Device]:
        """The devices, in device order."""
        ...

    @property
    def server(self) -> EdgeServer:
        """The edge server."""
        ...

    @property
    def seed(self) -> int:
        """The seed of everything that is drawn for learning."""
        ...

    @property
    def may_be_absent(self) -> bool:
        """Whether a host can be down; where none can, nobody is asked who is there."""
        ...

    def expected_s(self, device: str) -> float:
        """Return about how long a round of `device` takes with the air and the server to itself."""
        ...

    def evaluate(self, model: bytes, last: bool = False) -> dict[str, Any]:
        """Return the figures of `evals` for the devices' common part in the body `model`.

        The `last` evaluation of a training tells the accuracy without the codec too.
        """
        ...

    def due(self, round_number: int, rounds: int) -> bool:
        """Return whether round `round_number` of `rounds` ends with an evaluation."""
        ...

    def begun(self) -> tuple[int, Payload]:
        """Return how many rounds are done, and what the devices have learnt in common until then."""
        ...

    def keep(self, round_number: int, model: Payload) -> None:
        """Take note that `round_number` is done and left `model`."""
        ...


class ProtocolSettings(ABC):
    """What every protocol inherits: its settings are a frozen dataclass of which this is the base.

    What a protocol does not say of itself holds as it stands here.
    """

    layout: ClassVar[str] = "split"
    """Where the parts of the model lie: a module of `slfac_sim.learning.layouts`, or a dotted name."""
    cuts_may_differ: ClassVar[bool] = False
    """Whether whole models are averaged, so that devices may be cut in different places."""
    stashes_weights: ClassVar[bool] = False
    """Whether several mini-batches of a device are under way at once."""
    rounds: int
    """The number of rounds."""
    participation: Participation = Participation()
    """Who takes part in a round: by default everybody who is there, with no deadline."""
    evaluate_devices: int | None = None
    """Where nothing is learnt in common: how many devices' models an evaluation is the mean of."""
    send: Literal["model", "difference"] = "model"
    """What devices send of a whole model: itself, or its difference to the one that they were given."""
    mu: float = 0.0
    """The weight of the distance to the model that a round began with, in the loss of whole models."""

    def check(self, devices: int) -> None:
        """Raise `ValueError` for settings that so many devices cannot meet."""
        self.participation.check(devices)

    @property
    def timing_steers_learning(self) -> bool | None:
        """Whether another clock could change what is learnt (deadlines, order of arrival); then no replay.

        None: the protocol does not say, which counts as True.
        """
        return None

    @property
    def schedule(self) -> Schedule | None:
        """What a round asks of devices, server and air in which order; None: there is no forecast."""
        return None

    @abstractmethod
    def run(self, participants: Any) -> Task:
        """Yield the effects of the whole training."""

    @abstractmethod
    def device_steps(self, participants: Any) -> int:
        """Return how many mini-batches all devices together go through, for the progress display."""


FAMILY = Family(
    ProtocolSettings,
    shared=("rounds", "steps", "participation", "model_broadcast", "initial_model", "local_epochs"),
)
