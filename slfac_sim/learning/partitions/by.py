"""By whose they are: samples of one value in a column, of one lesion for instance, are on one device."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.learning.partitions import Indices, OverColumn, require_samples


@settings
class By(OverColumn):
    """The values are shuffled, and dealt out in turn: devices have equally many of them, or one more.

    When devices are added the shuffled order of values stays, and only who gets which moves.
    """

    column: str = "label"
    """The column of the training samples, one of those that the data set has (`lesion` of ham10000), or
    `label`: whole classes.
    """

    def split(self, labels: NDArray[np.int64], devices: Sequence[str], seed: int) -> list[Indices]:
        """Return the ascending indices of each device's samples; `labels` [n] are the column's values.

        Raises `BadInput` when there are fewer values than devices.
        """
        require_samples(len(labels), len(devices))
        values, which = np.unique(labels, return_inverse=True)
        if len(values) < len(devices):
            found = f"{len(values)} values of {self.column} for {len(devices)} devices"
            raise BadInput(f"partition: found {found}, expected at least one for each")
        owner = np.empty(len(values), np.int64)
        owner[stream(seed, "partition/by").permutation(len(values))] = np.arange(len(values)) % len(devices)
        return [np.flatnonzero(owner[which] == place) for place in range(len(devices))]
