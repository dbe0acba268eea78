"""Skewed sizes: a shuffle is cut into shares whose sizes follow a log-normal or a power law."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count, Positive
from slfac_sim.learning.partitions import Indices, require_samples


@settings
class Quantity:
    """Labels have no part in it. Each device has a weight of its own, keyed by its name.

    What holds when devices are added: the ratio of what any two devices have above `min_samples` stays, to
    the next whole sample.
    """

    law: Literal["log_normal", "power_law"] = "log_normal"
    """The law of sizes: their logarithm is normal, or exponential (a Pareto law: few devices have most)."""
    spread: Positive = 1.0
    """Standard deviation of the logarithm of sizes; the exponent of the power law is its inverse."""
    min_samples: Count = 2
    """Samples that every device has; those above are dealt out by the law."""

    def split(self, labels: NDArray[np.int64], devices: Sequence[str], seed: int) -> list[Indices]:
        """Return the ascending indices of each device's samples. Raises `BadInput` for too few of them."""
        require_samples(len(labels), len(devices), self.min_samples)
        above = np.cumsum(self.weights(devices, seed)) * (len(labels) - self.min_samples * len(devices))
        ends = np.rint(above).astype(np.int64) + self.min_samples * np.arange(1, len(devices) + 1)
        order = stream(seed, "partition/quantity/order").permutation(len(labels))
        return [np.sort(share) for share in np.split(order, ends[:-1])]

    def weights(self, devices: Sequence[str], seed: int) -> NDArray[np.float64]:
        """Return the part of each device of what is above `min_samples`, [devices]; they add up to 1."""
        logs = self.spread * np.array([self._drawn(device, seed) for device in devices])
        weights = np.exp(logs - logs.max())
        parts: NDArray[np.float64] = weights / weights.sum()
        return parts

    def _drawn(self, device: str, seed: int) -> float:
        draws = stream(seed, f"partition/quantity/{device}")
        return float(draws.standard_normal() if self.law == "log_normal" else draws.standard_exponential())
