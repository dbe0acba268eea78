"""Data sets: labelled images as numpy arrays; they know no torch, no device, no clock and no network.

One file per data set, chosen by `kind:` in the scenario. A data set is a frozen dataclass of settings
with one verb, `load`. Real data are looked for on this machine, fetched if need be, and verified; made-up
data come only from the kind `synthetic`, and say so (`Dataset.real`).
"""

import functools
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import Family, Plugin, settings
from slfac_sim.foundation.units import Count
from slfac_sim.learning.datasets._held_out import drawn
from slfac_sim.learning.datasets._moments import mean_and_std
from slfac_sim.learning.datasets._sound import DataError, sound_parts
from slfac_sim.learning.idx.sets import IdxSet, Report

__all__ = ["FAMILY", "DataError", "DataSource", "Dataset", "Report", "hold_out", "mean_and_std"]


@dataclass(frozen=True)
class Dataset:
    """Images ([n, channels, h, w], uint8) and labels ([n], int64, from 0 to `classes` - 1), in two parts.

    `mean` and `std` are those of the training pixels, a fraction of 255 for each channel; batches are
    normalised by them. `real` is False for made-up data. `source` says where the data were found; it is
    for people, and nothing that is simulated may depend on it. A validation part is None where there is none.
    `columns` tell more of the training samples, one value for each: whose they are, for instance.
    `class_names` are those of the classes in their order, for people; empty where they have none.
    `further_columns` says how one gets columns that are not there; empty where there can be no others.

    Whole levels and labels of another integer type are converted, images [n, h, w] have one channel, labels
    may be [n, 1]. Whatever else cannot be used is refused here: raises `DataError`.
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    real: bool
    source: str
    validation_images: NDArray[np.uint8] | None = None
    validation_labels: NDArray[np.int64] | None = None
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    class_names: tuple[str, ...] = ()
    further_columns: str = ""

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
        return self.normalised(self.train_images[indices]), self.train_labels[indices]

    def test_batch(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return test images `indices`, normalised ([batch, channels, h, w]), and labels ([batch])."""
        return self.normalised(self.test_images[indices]), self.test_labels[indices]

    def normalised(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return `images` [batch, channels, h, w] as the model sees them: less the mean, by the deviation."""
        if len(self._levels) == 1:
            return self._levels[0][images]
        seen = np.empty(images.shape, np.float32)
        for channel, levels in enumerate(self._levels):
            seen[:, channel] = levels[images[:, channel]]
        return seen

    @functools.cached_property
    def sha256(self) -> str:
        """The SHA-256 (hex) of all that is learnt from and tested on, as it was loaded."""
        moments = (self.mean, self.std) if len(self.mean) > 1 else (self.mean[0], self.std[0])
        whole = hashlib.sha256(repr((self.classes, *moments)).encode())
        for array in self._arrays():
            whole.update(f"{array.dtype.str} {array.shape}".encode())
            whole.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return whole.hexdigest()

    def _arrays(self) -> Iterator[NDArray[Any]]:
        yield from (self.train_images, self.train_labels, self.test_images, self.test_labels)
        if self.validation_images is not None and self.validation_labels is not None:
            yield from (self.validation_images, self.validation_labels)
        yield from (self.columns[name] for name in sorted(self.columns))

    @functools.cached_property
    def _levels(self) -> list[NDArray[np.float32]]:
        """The 256 levels as the model sees them, for each channel."""
        moments = zip(self.mean, self.std, strict=True)
        return [((np.arange(256) / 255.0 - mean) / std).astype(np.float32) for mean, std in moments]


@settings
class DataSource(ABC):
    """What every data set inherits: its settings."""

    validation: Count | None = None
    """So many of the training samples are held out: not learnt from, and not of the test set either."""
    augment: tuple[Annotated[Any, Plugin("slfac_sim.learning.augmentations")], ...] = ()
    """What is done to a training image each time a device learns from it, in this order."""

    files: ClassVar[IdxSet | None] = None
    """The public IDX files that it is made of, for `data fetch`; None where there are none."""
    by_hand: ClassVar[str | None] = None
    """The public files that a user puts in place, and where they come from; None where there are none."""

    @abstractmethod
    def load(self, report: Report | None = None) -> Dataset:
        """Return the data; `report` is told, line by line, of what takes long. Raises `DataError`.

        Nothing is held out yet: that is done for every kind by `open`.
        """

    def open(self, report: Report | None = None) -> Dataset:
        """Return the data as they are learnt from, `validation` of them held out. Raises `DataError`."""
        data = self.load(report)
        return data if self.validation is None else hold_out(data, self.validation, self.together)

    @property
    def together(self) -> str | None:
        """The column whose samples of one value are held out together; None: each by itself."""
        return None

    @property
    def most_samples(self) -> int | None:
        """How many training samples it has at most; None where that is not known before they are loaded."""
        return None


def hold_out(data: Dataset, samples: int, together: str | None = None) -> Dataset:
    """Return `data` with so many training samples, drawn at random, as its validation part.

    Those of one value in the column `together` stay together. Mean and deviation stay as they are. Raises
    `DataError` where none would be left, and where `data` have a validation part of their own.
    """
    most = len(data.train_labels) - 1
    if data.validation_labels is not None:
        own = f"a validation part of its own of {len(data.validation_labels)} samples"
        raise DataError(f"data.validation: found {samples}, and the data set has {own}; leave it out")
    if samples > most:
        raise DataError(f"data.validation: found {samples}, expected at most {most}, of {most + 1} samples")
    groups = None if together is None else data.columns[together]
    out = drawn("data/validation", most + 1, samples, groups)
    return replace(
        data,
        train_images=data.train_images[~out],
        train_labels=data.train_labels[~out],
        validation_images=data.train_images[out],
        validation_labels=data.train_labels[out],
        columns={name: values[~out] for name, values in data.columns.items()},
    )


FAMILY = Family(DataSource, shared=("augment", "train_samples", "test_samples", "validation", "verify"))
