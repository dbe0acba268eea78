"""So many devices, drawn anew for each round."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count
from slfac_sim.protocols.selections import Selection


@settings
class Random(Selection):
    """Each device is as likely as any other."""

    timing_steers_learning: ClassVar[bool] = False

    count: Count = 10
    """Devices of a round; all that are there, if they are fewer."""

    def choose(
        self, devices: Sequence[str], round_number: int, seed: int, expected_s: Callable[[str], float]
    ) -> list[str]:
        """Return `count` of the `devices`."""
        draws = stream(seed, "selection", round_number)
        chosen = draws.choice(len(devices), min(self.count, len(devices)), replace=False)
        return [devices[place] for place in sorted(chosen)]

    def at_most(self, devices: int) -> int:
        """Return `count`, or all `devices` if they are fewer."""
        return min(self.count, devices)
