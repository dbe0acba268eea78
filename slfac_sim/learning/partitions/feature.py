"""Skewed features: even shares, under noise that grows from device to device (Li et al., 2022)."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import NotNegative
from slfac_sim.learning.partitions import Disturbing, Indices, require_samples


@settings
class Feature(Disturbing):
    """The noise is drawn once for each sample, keyed by its device, so a device sees it at every epoch.

    Test and validation samples have none.
    """

    references: ClassVar[tuple[str, ...]] = ("li2022federated",)

    noise: NotNegative = 50.0
    """Standard deviation of the last device's noise, in levels out of 255; the first device has none, and
    between them it grows evenly.
    """

    def split(self, labels: NDArray[np.int64], devices: Sequence[str], seed: int) -> list[Indices]:
        """Return the ascending indices of each device's samples. Raises `BadInput` below one sample each."""
        require_samples(len(labels), len(devices))
        order = stream(seed, "partition/feature").permutation(len(labels))
        return [np.sort(share) for share in np.array_split(order, len(devices))]

    def deviations(self, devices: int) -> list[float]:
        """Return the standard deviation of the noise of each device, in levels out of 255."""
        return [self.noise * place / max(devices - 1, 1) for place in range(devices)]
