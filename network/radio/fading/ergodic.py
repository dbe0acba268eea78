"""Fading much faster than a transfer: the rate is its mean over the fades, and nothing happens."""

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.network.radio.fading import Fading
from slfac_sim.network.radio.fading._rician import survival
from slfac_sim.network.radio.rates import Survival


@settings
class Ergodic(Fading):
    """Nothing to set."""

    def survival(self, k: Floats) -> Survival:
        """Return the tail of Rician power gains."""
        return survival(k)
