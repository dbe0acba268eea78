"""Fading that stands still: every device has one power gain for the whole run, drawn by its name.

A device may be drawn into a deep fade and stay there, out of reach.
"""

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.network.radio.fading import Fading, power_gain


@settings
class Static(Fading):
    """The gain is the first of `block` fading, and holds for both directions."""

    def survival(self, k: Floats) -> None:
        """Return None: no fade passes."""

    def gain(self, seed: int, device: str, block: int, k: float) -> float:
        """Return the gain of `device`, the same in every block: that of block 0 of `block` fading."""
        return power_gain(stream(seed, f"fading/{device}"), k)
