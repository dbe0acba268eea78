"""Who learns together, as a protocol sees it: it asks no more of a world than this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from slfac_sim.codecs import Payload
    from slfac_sim.learning.participants import Device, EdgeServer


class Participants(Protocol):
    """Who learns together, and how the outcome is measured."""

    @property
    def devices(self) -> Sequence[Device]:
        """The devices, in device order."""

    @property
    def server(self) -> EdgeServer:
        """The edge server."""

    @property
    def seed(self) -> int:
        """The seed of everything that is drawn for learning."""

    @property
    def may_be_absent(self) -> bool:
        """Whether a host can be down; where none can, nobody is asked who is there."""

    def expected_s(self, device: str) -> float:
        """Return about how long a round of `device` takes with the air and the server to itself."""

    def evaluate(self, model: bytes, last: bool = False) -> dict[str, Any]:
        """Return the figures of `evals` for the devices' common part in the body `model`.

        The `last` evaluation of a training tells the accuracy without the codec too.
        """

    def due(self, round_number: int, rounds: int) -> bool:
        """Return whether round `round_number` of `rounds` ends with an evaluation."""

    def begun(self) -> tuple[int, Payload]:
        """Return how many rounds are done, and what the devices have learnt in common until then."""

    def keep(self, round_number: int, model: Payload) -> None:
        """Take note that `round_number` is done and left `model`."""
