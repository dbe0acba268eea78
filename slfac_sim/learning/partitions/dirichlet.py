"""Skewed labels: each class is shared among the devices in proportions drawn from a Dirichlet distribution.

T.-M. H. Hsu, H. Qi, M. Brown, "Measuring the Effects of Non-Identical Data Distribution for Federated
Visual Classification", arXiv:1909.06335, gave the idea for devices; the form used here draws for each
class, after M. Yurochkin et al., "Bayesian Nonparametric Federated Learning of Neural Networks",
arXiv:1905.12022, section 4.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count, Positive
from slfac_sim.learning.partitions import Indices, require_samples

ATTEMPTS = 100


@settings
class Dirichlet:
    """The distribution is symmetric: no device is favoured.

    A Dirichlet vector is a vector of independent gamma variates divided by their sum (L. Devroye,
    "Non-Uniform Random Variate Generation", 1986, chapter XI, section 4), and each device has gamma variates
    of its own, keyed by its name. So what holds when devices are added is this: within one attempt, the
    *ratio* in which any two devices share a class stays; the number of samples cannot, and a device that is
    left with too few samples can make the whole draw be repeated.
    """

    references: ClassVar[tuple[str, ...]] = ("hsu2019measuring", "yurochkin2019bayesian")

    alpha: Positive = 0.5
    """Concentration: a large one tends to equal shares, a small one gives each class to few devices."""
    min_samples: Count = 2
    """Fewest samples that a device must have; the draw is repeated until all have them, 100 times at most."""

    def split(self, labels: NDArray[np.int64], devices: Sequence[str], seed: int) -> list[Indices]:
        """Return the ascending indices of each device's samples.

        Raises `BadInput` when no attempt gives every device `min_samples` samples.
        """
        require_samples(len(labels), len(devices), self.min_samples)
        present, sizes = np.unique(labels, return_counts=True)
        counts = self._counts(present, sizes, devices, seed)
        shares: list[list[Indices]] = [[] for _ in devices]
        for column, label in enumerate(present):
            order = stream(seed, "partition/dirichlet/order", int(label)).permutation(sizes[column])
            members = np.flatnonzero(labels == label)[order]
            parts = np.split(members, np.cumsum(counts[:-1, column]))
            for share, part in zip(shares, parts, strict=True):
                share.append(part)
        return [np.sort(np.concatenate(share)) for share in shares]

    def _counts(
        self, present: NDArray[np.int64], sizes: NDArray[np.int64], devices: Sequence[str], seed: int
    ) -> NDArray[np.int64]:
        """Return the samples of each class `present` on each device: [devices, present classes]."""
        best, whose = -1, ""
        for attempt in range(ATTEMPTS):
            counts = _apportion(self.proportions(present, devices, seed, attempt), sizes)
            totals = counts.sum(axis=1)
            if totals.min() >= self.min_samples:
                return counts
            if totals.min() > best:
                best, whose = int(totals.min()), devices[int(totals.argmin())]
        raise BadInput(
            f"partition: in {ATTEMPTS} draws some device always had fewer than {self.min_samples} samples"
            f" (at best {whose} with {best}); raise alpha ({self.alpha:g}), lower min_samples"
            f" ({self.min_samples}), or take fewer devices ({len(devices)})"
        )

    def proportions(
        self, present: NDArray[np.int64], devices: Sequence[str], seed: int, attempt: int
    ) -> NDArray[np.float64]:
        """Return each device's share of each class, [devices, present classes]; each column adds up to 1."""
        classes = int(present[-1]) + 1
        logs = np.stack([self._log_gammas(device, classes, seed, attempt)[present] for device in devices])
        weights = np.exp(logs - logs.max(axis=0))
        shares: NDArray[np.float64] = weights / weights.sum(axis=0)
        return shares

    def _log_gammas(self, device: str, classes: int, seed: int, attempt: int) -> NDArray[np.float64]:
        """Return logarithms of gamma(alpha) variates, [classes].

        For alpha below about 0.01 the variates themselves underflow to zero; hence the identity gamma(alpha)
        = gamma(alpha + 1) * U^(1 / alpha), U uniform
        (G. Marsaglia, W. W. Tsang, "A Simple Method for Generating Gamma Variables", ACM TOMS 26(3), 2000).
        """
        draws = stream(seed, f"partition/dirichlet/weights/{device}", attempt)
        gammas = draws.standard_gamma(self.alpha + 1.0, size=classes)
        uniforms = 1.0 - draws.random(size=classes)  # in (0, 1]: the logarithm is finite
        logs: NDArray[np.float64] = np.log(gammas) + np.log(uniforms) / self.alpha
        return logs


def _apportion(proportions: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return whole numbers of samples near `proportions` of `sizes`; each column adds up to its size."""
    ends = np.rint(np.cumsum(proportions, axis=0) * sizes).astype(np.int64)
    ends[-1] = sizes
    return np.diff(ends, axis=0, prepend=0)
