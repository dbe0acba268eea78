"""Partitions: which training samples each device holds; they know no images, no torch, no clock.

One file per kind, chosen by `kind:` in the scenario. A partition is a frozen dataclass of settings with
one verb, `split`. It is a function of the labels, the devices' names and the seed of learning alone: no
codec, network, speed or number of rounds can change it. One that inherits `OverColumn` is given another
column of the samples than their labels; one that inherits `Disturbing` has devices see samples under noise.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Family

Indices = NDArray[np.int64]


class Partition(Protocol):
    """Settings of a partition."""

    def split(self, labels: NDArray[np.int64], devices: Sequence[str], seed: int) -> list[Indices]:
        """Return for each device, in order, the ascending indices of its samples.

        Every index of `labels` ([n]) is in exactly one of them, and none is empty. The names in `devices`
        are distinct. Raises `BadInput` when there are too few samples.
        """
        ...


FAMILY = Family(Partition)


class OverColumn(ABC):
    """A partition that is given the values of a column of the training samples in the place of labels."""

    column: str
    """The column: one of those that the data set has of each training sample, or its `label`."""


class Disturbing(ABC):
    """A partition whose devices have their samples under noise."""

    @abstractmethod
    def deviations(self, devices: int) -> Sequence[float]:
        """Return the standard deviation of the noise of each device, in order, in levels out of 255."""


def label_histogram(labels: NDArray[np.int64], shares: Sequence[Indices], classes: int) -> NDArray[np.int64]:
    """Return how many samples of each class each device holds: [devices, classes], int64."""
    return np.stack([np.bincount(labels[share], minlength=classes) for share in shares])


def require_samples(samples: int, devices: int, each: int = 1) -> None:
    """Raise `BadInput` unless so many `samples` are at least `each` for each of so many `devices`."""
    if samples < each * devices:
        raise BadInput(
            f"partition: found {samples} training samples for {devices} devices,"
            f" expected at least {each * devices} ({each} for each)"
        )
