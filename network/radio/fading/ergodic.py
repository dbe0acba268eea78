"""Fading much faster than a transfer: the rate is its mean over the fades, and nothing happens."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.radio.fading import Rician


@settings
class Ergodic(Rician):
    """The mean is over the law of `small_scale`, for each device and direction."""
