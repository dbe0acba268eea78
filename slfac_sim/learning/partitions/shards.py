"""Few classes each: samples sorted by label, cut into pieces that are dealt out (McMahan et al., 2017)."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count
from slfac_sim.learning.partitions import Indices, require_samples


@settings
class Shards:
    """Pieces differ by one sample at most, and so do shares by as many as their pieces.

    A piece is mostly of one class: where the classes are equally large and the pieces of all devices are as
    many as they, or a multiple of it, each is of one class. Within a class samples are shuffled. When devices
    are added all pieces are cut anew.
    """

    references: ClassVar[tuple[str, ...]] = ("mcmahan2017communication",)

    each: Count = 2
    """Pieces of each device, and so about how many classes it has."""

    def split(self, labels: NDArray[np.int64], devices: Sequence[str], seed: int) -> list[Indices]:
        """Return the ascending indices of each device's samples. Raises `BadInput` for too few of them."""
        require_samples(len(labels), len(devices), self.each)
        shuffled = stream(seed, "partition/shards/order").permutation(len(labels))
        ordered = shuffled[np.argsort(labels[shuffled], kind="stable")]
        count = self.each * len(devices)
        pieces = np.array_split(ordered, count)
        dealt = stream(seed, "partition/shards/deal").permutation(count).reshape(len(devices), self.each)
        return [np.sort(np.concatenate([pieces[piece] for piece in mine])) for mine in dealt]
