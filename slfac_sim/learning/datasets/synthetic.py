"""Made-up images for quick tests: each class is a pattern of blocks, each image one of them under noise.

These are not real data and say nothing about accuracy; a scenario has them only by asking for them.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Count, NotNegative, SeedNumber
from slfac_sim.learning.datasets import Dataset, DataSource, Report, mean_and_std

_BLOCKS = 4  # a pattern is 4 x 4 blocks: coarse enough to survive the pooling of a small network
_CONTRAST = 45.0
_MOST_BYTES = 2**27  # drawn in about two seconds


@settings
class Synthetic(DataSource):
    """Nothing is downloaded. More samples begin with the same ones."""

    train_samples: Count = 1000
    """Samples to learn from, over all devices."""
    test_samples: Count = 500
    """Samples on which accuracy is measured."""
    classes: Annotated[int, Field(ge=2, le=1000)] = 10
    """How many classes there are."""
    size: Annotated[int, Field(ge=_BLOCKS, le=256)] = 28
    """Width and height of an image in pixels."""
    channels: Annotated[int, Field(ge=1, le=16)] = 1
    """Channels of an image: 1 is grey."""
    noise: NotNegative = 40.0
    """Standard deviation of each pixel's noise, in levels out of 255: more is harder to learn."""
    seed: SeedNumber = 0
    """What draws the data; it is their own, so that they stay when the seeds of the scenario change."""

    def __post_init__(self) -> None:
        nbytes = (self.train_samples + self.test_samples) * self.channels * self.size**2
        if nbytes > _MOST_BYTES:
            raise ValueError(f"all samples together must have at most {_MOST_BYTES:,} bytes (got {nbytes:,})")

    @property
    def most_samples(self) -> int:
        """How many training samples it has."""
        return self.train_samples

    def load(self, report: Report | None = None) -> Dataset:
        """Return the data; nothing is read, nothing can be missing."""
        train_images, train_labels = self._part("train", self.train_samples)
        test_images, test_labels = self._part("test", self.test_samples)
        mean, std = mean_and_std(train_images)
        return Dataset(
            name="synthetic",
            train_images=train_images,
            train_labels=train_labels,
            test_images=test_images,
            test_labels=test_labels,
            classes=self.classes,
            mean=mean,
            std=std,
            real=False,
            source="made up",
        )

    def _part(self, part: str, samples: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        labels = stream(self.seed, f"synthetic/{part}/labels").integers(self.classes, size=samples)
        shape = (samples, self.channels, self.size, self.size)
        images = stream(self.seed, f"synthetic/{part}/noise").standard_normal(shape, dtype=np.float32)
        images *= self.noise
        images += self._patterns()[labels]
        return np.clip(np.rint(images), 0, 255).astype(np.uint8), labels

    def _patterns(self) -> NDArray[np.float32]:
        shape = (self.channels, _BLOCKS, _BLOCKS)
        drawn = [
            stream(self.seed, "synthetic/pattern", label).standard_normal(shape)
            for label in range(self.classes)
        ]
        nearest = np.arange(self.size) * _BLOCKS // self.size
        blocks = 128.0 + _CONTRAST * np.stack(drawn)
        return blocks[:, :, nearest[:, np.newaxis], nearest].astype(np.float32)
