"""What each device holds: the partition of a scenario over a data set, and the noise that is on it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput, did_you_mean
from slfac_sim.foundation.streams import stream
from slfac_sim.learning.datasets import Dataset
from slfac_sim.learning.partitions import Disturbing, Indices, OverColumn

_LABEL = "label"


def deal(partition: Any, data: Dataset, devices: Sequence[str], seed: int) -> tuple[Dataset, list[Indices]]:
    """Return `data` as `devices` see them, and the indices of each one's samples. Raises `BadInput`."""
    shares = partition.split(_dealt_by(partition, data), devices, seed)
    if not isinstance(partition, Disturbing):
        return data, shares
    images = data.train_images.copy()
    deviations = partition.deviations(len(devices))
    for device, share, deviation in zip(devices, shares, deviations, strict=True):
        shape = (len(share), *images.shape[1:])
        noise = stream(seed, f"partition/noise/{device}").standard_normal(shape, np.float32)
        images[share] = np.clip(np.rint(images[share] + deviation * noise), 0, 255).astype(np.uint8)
    return replace(data, train_images=images), shares


def _dealt_by(partition: Any, data: Dataset) -> NDArray[Any]:
    """Return what `partition` deals samples out by: their labels, or a column [n]."""
    if not isinstance(partition, OverColumn) or partition.column == _LABEL:
        return data.train_labels
    if partition.column not in data.columns:
        known = [_LABEL, *sorted(data.columns)]
        raise BadInput(
            f"partition.column: the data '{data.name}' have no column '{partition.column}' among"
            f" {', '.join(known)}{did_you_mean(partition.column, known)}"
            f"{data.further_columns and f'; {data.further_columns}'}"
        )
    return data.columns[partition.column]
