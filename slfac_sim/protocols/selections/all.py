"""Everybody who is there takes part."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.protocols.selections import Selection


@settings
class All(Selection):
    """A device that is down when a round begins is not there."""

    timing_steers_learning: ClassVar[bool] = False

    def choose(
        self, devices: Sequence[str], round_number: int, seed: int, expected_s: Callable[[str], float]
    ) -> list[str]:
        """Return all `devices`."""
        return list(devices)
