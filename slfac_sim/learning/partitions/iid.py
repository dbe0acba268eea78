"""Independent and identically distributed: all samples are shuffled and dealt out evenly."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.learning.partitions import Indices, require_samples


@settings
class Iid:
    """Labels have no part in it; shares differ by at most one sample.

    What holds when devices are added: the shuffled order stays, and only its cuts move. So shares
    change with the *number* of devices, and with nothing else but the seed.
    """

    def split(self, labels: NDArray[np.int64], devices: Sequence[str], seed: int) -> list[Indices]:
        """Return the ascending indices of each device's samples. Raises `BadInput` below one sample each."""
        require_samples(len(labels), len(devices))
        order = stream(seed, "partition/iid").permutation(len(labels))
        return [np.sort(share) for share in np.array_split(order, len(devices))]
