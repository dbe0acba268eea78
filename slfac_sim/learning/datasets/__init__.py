"""Data sets: labelled images as numpy arrays; they know no torch, no device, no clock and no network.

One file per data set, chosen by `kind:` in the scenario. A data set is a frozen dataclass of settings
with one verb, `load`. Real data are looked for on this machine, fetched if need be, and verified; made-up
data come only from the kind `synthetic`, and say so (`Dataset.real`).
"""

import functools
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import Family
from slfac_sim.learning.datasets._sound import DataError, sound_levels, sound_parts
from slfac_sim.learning.idx.sets import IdxSet, Report

__all__ = ["FAMILY", "DataError", "DataSource", "Dataset", "Report", "mean_and_std"]

_PAIRS_AT_A_TIME = 1 << 17  # bincount works on 8-byte integers: the whole of MNIST at once would be 188 MB


@dataclass(frozen=True)
class Dataset:
    """Images ([n, channels, h, w], uint8) and labels ([n], int64, from 0 to `classes` - 1), in two parts.

    `mean` and `std` are those of all the training pixels here, as fractions of 255; batches are
    normalised by them. `real` is False for made-up data. `source` says where the data were found; it is
    for people, and nothing that is simulated may depend on it.

    Whole levels and labels of another integer type are converted, images [n, h, w] have one channel, labels
    may be [n, 1]. Whatever else cannot be used is refused here: raises `DataError`.
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: int
    mean: float
    std: float
    real: bool
    source: str

    def __post_init__(self) -> None:
        for part, array in sound_parts(self).items():
            object.__setattr__(self, part, array)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape of one image: channels, height, width."""
        channels, height, width = self.train_images.shape[1:]
        return channels, height, width

    def train_batch(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return training images `indices`, normalised ([batch, channels, h, w]), and labels ([batch])."""
        return self._levels[self.train_images[indices]], self.train_labels[indices]

    def test_batch(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return test images `indices`, normalised ([batch, channels, h, w]), and labels ([batch])."""
        return self._levels[self.test_images[indices]], self.test_labels[indices]

    @functools.cached_property
    def sha256(self) -> str:
        """The SHA-256 (hex) of all that is learnt from and tested on, as it was loaded."""
        whole = hashlib.sha256(repr((self.classes, self.mean, self.std)).encode())
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            whole.update(f"{array.dtype.str} {array.shape}".encode())
            whole.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return whole.hexdigest()

    @functools.cached_property
    def _levels(self) -> NDArray[np.float32]:
        return ((np.arange(256) / 255.0 - self.mean) / self.std).astype(np.float32)


class DataSource(ABC):
    """What every data set inherits: its settings."""

    files: ClassVar[IdxSet | None] = None
    """The public IDX files that it is made of, for `data fetch`; None where there are none."""

    @abstractmethod
    def load(self, report: Report | None = None) -> Dataset:
        """Return the data; `report` is told, line by line, of what takes long. Raises `DataError`."""

    @property
    def most_samples(self) -> int | None:
        """How many training samples it has at most; None where that is not known before they are loaded."""
        return None


FAMILY = Family(DataSource, shared=("train_samples", "test_samples", "verify"))


def mean_and_std(images: NDArray[np.uint8]) -> tuple[float, float]:
    """Return mean and standard deviation of all pixels of `images` as fractions of 255, from their histogram.

    Raises `DataError` for anything but levels from 0 to 255, and when all pixels are equal, since such images
    cannot be normalised.
    """
    pixels = sound_levels(images, "images").reshape(-1)
    counts = _histogram(pixels)
    levels = np.arange(256) / 255.0
    mean = float(counts @ levels) / pixels.size
    variance = float(counts @ (levels - mean) ** 2) / pixels.size
    if np.count_nonzero(counts) < 2:
        raise DataError("all pixels of the training images are equal")
    return mean, variance**0.5


def _histogram(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how many of `pixels` have each value, counted in pairs, which takes half the time."""
    even = pixels.size - pixels.size % 2
    pairs = pixels[:even].view(np.uint16)
    counts = np.zeros(1 << 16, dtype=np.int64)
    for start in range(0, pairs.size, _PAIRS_AT_A_TIME):
        counts += np.bincount(pairs[start : start + _PAIRS_AT_A_TIME], minlength=1 << 16)
    table = counts.reshape(256, 256)
    return table.sum(0) + table.sum(1) + np.bincount(pixels[even:], minlength=256)  # type: ignore[no-any-return]
