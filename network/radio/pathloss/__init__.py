"""Path loss models, one file each; they know distances and a carrier, and draw nothing themselves."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class PathLoss(Protocol):
    """Settings of a path loss model. Distances [devices] are horizontal, in metres."""

    @property
    def shortest_m(self) -> float:
        """The shortest distance at which the model holds; nearer is taken as this far."""
        ...

    def los_probability(self, distance_m: Floats) -> Floats:
        """Return the probability of a line of sight."""
        ...

    def loss_db(self, distance_m: Floats, los: Bools, carrier_hz: float) -> Floats:
        """Return the median loss, with (`los`) or without line of sight."""
        ...

    def shadowing_sigma_db(self, los: Bools) -> Floats:
        """Return the standard deviation of the shadowing."""
        ...
