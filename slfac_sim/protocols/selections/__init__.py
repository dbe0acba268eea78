"""Selections: which devices take part in a round; they know no network and no clock.

One file per kind, chosen by `participation: {select: {kind: ...}}` of a protocol: a frozen dataclass of
settings with one verb, `choose`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from slfac_sim.foundation.plugins import Family


class Selection(ABC):
    """What every selection inherits: settings of who takes part."""

    timing_steers_learning: ClassVar[bool] = True
    """Whether the choice may depend on speeds or on the network."""

    @abstractmethod
    def choose(
        self, devices: Sequence[str], round_number: int, seed: int, expected_s: Callable[[str], float]
    ) -> list[str]:
        """Return the names of those of `devices` that take part in round `round_number`, in device order.

        `devices` are those that are there; `expected_s` tells about how long a device would take for a
        round if it had the air and the server to itself. Draws come from
        ``stream(seed, "selection", round_number)``.
        """

    def at_most(self, devices: int) -> int:
        """Return how many of so many `devices` it ever chooses."""
        return devices


FAMILY = Family(Selection, shared=("count",))
