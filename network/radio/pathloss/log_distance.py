"""Log-distance: a loss at a reference distance, and 10 n dB a decade beyond it. It knows no carrier."""

from typing import ClassVar

import numpy as np

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Decibels, Metres, Positive
from slfac_sim.network.radio.pathloss import PathLoss


@settings
class LogDistance(PathLoss):
    """PL(d) = PL(d0) + 10 n lg(d / d0), at any carrier; every device counts as in line of sight."""

    references: ClassVar[tuple[str, ...]] = ("gudmundson1991",)

    exponent: Positive = 3.0
    """Path loss exponent n: 10 n dB a decade of distance; free space has 2, and the default is for built-up
    areas.
    """
    reference_distance: Metres = 1.0
    """Distance d0 at which the loss is `reference_loss`; nearer devices have that loss too."""
    reference_loss: Decibels = 46.6777
    """Loss at `reference_distance`. The default is that of free space over 1 m at 5.15 GHz."""
    shadowing: Decibels = 0.0
    """Standard deviation of the shadowing that the network's own `shadowing` draws."""
    decorrelation: Metres = 20.0
    """Distance over which the correlation of shadowing falls to 1/e: between neighbours with the network's
    `shadowing: correlated`, and along the way of a device that moves.
    """
    rician_k: Decibels | None = None
    """Rician factor K of every link with `small_scale: rician` of the network; null: Rayleigh fading all the
    same.
    """

    def __post_init__(self) -> None:
        for name in ("exponent", "reference_distance", "decorrelation"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be positive (got {getattr(self, name):g})")
        if self.shadowing < 0.0:
            raise ValueError(f"shadowing must not be negative (got {self.shadowing:g} dB)")

    @property
    def shortest_m(self) -> float:
        """The reference distance."""
        return self.reference_distance

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return 1: the model does not tell lines of sight apart."""
        return np.ones_like(distance_m)

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the loss at any carrier; nearer than the reference distance counts as there."""
        decades = np.log10(np.maximum(distance_m / self.reference_distance, 1.0))
        return np.asarray(self.reference_loss + 10.0 * self.exponent * decades)

    def shadowing_sigma_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return `shadowing`."""
        return np.full(los.shape, self.shadowing)

    def decorrelation_m(self, los: Bools) -> Floats:
        """Return `decorrelation`."""
        return np.full(los.shape, self.decorrelation)

    def rician_k_db(self, los: Bools) -> tuple[Floats, Floats]:
        """Return `rician_k`, the same everywhere."""
        k_db = -np.inf if self.rician_k is None else self.rician_k
        return np.full(los.shape, k_db), np.zeros(los.shape)
