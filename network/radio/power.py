"""Uplink power control: a device makes up for a part of its loss, up to its limit. It knows no fading."""

from typing import ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Part, Watts, dbm_to_w, w_to_dbm

_BLOCK_HZ = 180e3
_FILLED = 0.9


@settings
class PowerControl:
    """Open-loop power control: `target` is P0 for one resource block, `alpha` the part of the loss repaid."""

    references: ClassVar[tuple[str, ...]] = ("ts38213",)

    target: Watts = dbm_to_w(-80.0)
    alpha: Part = 0.8

    def __post_init__(self) -> None:
        if not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha must lie in [0, 1] (got {self.alpha:g})")

    def power_w(self, loss_db: Floats, bandwidth_hz: float | Floats, most_w: float) -> Floats:
        """Return what each device sends with in `bandwidth_hz`; `loss_db` includes shadowing and antennas."""
        most_dbm, target_dbm = w_to_dbm(most_w), w_to_dbm(self.target)
        power_dbm = uplink_power_dbm(most_dbm, target_dbm, blocks(bandwidth_hz), self.alpha, loss_db)
        return np.asarray(np.power(10.0, (power_dbm - 30.0) / 10.0))

    def w_per_hz(self, loss_db: Floats) -> Floats:
        """Return the density that each device sends with where its limit does not matter."""
        return np.asarray(self.target / _BLOCK_HZ * np.power(10.0, self.alpha * loss_db / 10.0))


def uplink_power_dbm(
    most_dbm: float, target_dbm: float, blocks: float | Floats, alpha: float, loss_db: Floats
) -> Floats:
    """Return min(Pmax, P0 + 10 lg M + alpha PL) of TS 38.213, clause 7.1.1, without closed loop.

    M counts resource blocks of 180 kHz: 2^mu N_PRB for numerology mu.
    """
    return np.asarray(np.minimum(most_dbm, target_dbm + 10.0 * np.log10(blocks) + alpha * loss_db))


def blocks(bandwidth_hz: float | Floats) -> float | Floats:
    """Return how many resource blocks of 180 kHz fill nine tenths of `bandwidth_hz`: 100 in 20 MHz."""
    return _FILLED * bandwidth_hz / _BLOCK_HZ
