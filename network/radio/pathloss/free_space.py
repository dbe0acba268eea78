"""Free space: 20 lg(4 pi d f / c), and nothing in the way. It knows no heights and no shadowing."""

from typing import ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Decibels
from slfac_sim.network.radio.pathloss import PathLoss

_C_M_PER_S = 299_792_458.0


@settings
class FreeSpace(PathLoss):
    """With `fading: none` it is a line of sight and nothing else."""

    references: ClassVar[tuple[str, ...]] = ("friis1946",)

    rician_k: Decibels | None = None
    """Rician factor K of every link with `small_scale: rician` of the network; null: Rayleigh fading all the
    same.
    """

    shortest_m = 1.0

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return 1."""
        return np.ones_like(distance_m)

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the loss; distances below 1 m count as 1 m, and `los` makes no difference."""
        d_m = np.maximum(distance_m, self.shortest_m)
        return np.asarray(20.0 * np.log10(4.0 * np.pi * d_m * carrier_hz / _C_M_PER_S))

    def shadowing_sigma_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return 0: nothing casts a shadow."""
        return np.zeros(los.shape)

    def decorrelation_m(self, los: Bools) -> Floats:
        """Return 1 m, for want of a shadow."""
        return np.ones(los.shape)

    def rician_k_db(self, los: Bools) -> tuple[Floats, Floats]:
        """Return `rician_k`, the same everywhere."""
        k_db = -np.inf if self.rician_k is None else self.rician_k
        return np.full(los.shape, k_db), np.zeros(los.shape)
