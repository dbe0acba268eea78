"""No fading: the SNR is the mean SNR."""

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.network.radio.fading import Fading


@settings
class NoFading(Fading):
    """Links differ by path loss and shadowing alone."""

    def survival(self, k: Floats) -> None:
        """Return None: no fade passes."""
