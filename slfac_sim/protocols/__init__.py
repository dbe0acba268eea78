"""Protocols: how devices and server learn together, written as generators that yield effects.

One file per protocol, chosen by `kind:` in the scenario: a frozen dataclass of settings with the method
`run`. A protocol reads like the figure in its paper. It is a pure function of the replies that it is
sent: it reads no clock and knows no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from slfac_sim.effects import Task

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device, EdgeServer


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
        """Return about how long `device` takes for a mini-batch with the air and the server to itself."""
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


class Plan(Protocol):
    """The settings of a protocol."""

    @property
    def rounds(self) -> int:
        """The number of rounds."""
        ...

    @property
    def model_broadcast(self) -> Literal["multicast", "unicast"]:
        """Whether the server hands models out in one transmission or in one for each device."""
        ...

    @property
    def timing_steers_learning(self) -> bool:
        """Whether another clock could change what is learnt (deadlines, order of arrival); then no replay."""
        ...

    def run(self, participants: Participants) -> Task:
        """Yield the effects of the whole training."""
        ...

    def device_steps(self, participants: Participants) -> int:
        """Return how many mini-batches all devices together go through, for the progress display."""
        ...
