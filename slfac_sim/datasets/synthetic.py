"""Made-up images for quick tests: each class is a pattern of blocks, each image one of them under noise.

These are not real data and say nothing about accuracy; a scenario has them only by asking for them.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.datasets import Dataset, Report, mean_and_std
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream

_BLOCKS = 4  # a pattern is 4 x 4 blocks: coarse enough to survive the pooling of a small network
_CONTRAST = 45.0


@settings
class Synthetic:
    """Made-up data: so many samples of so many classes, square images of `size` pixels.

    `noise` is the standard deviation of each pixel's noise, in levels out of 255. The data have a `seed` of
    their own: they stay the same when the seeds of the scenario change. More samples begin with the same
    ones.
    """

    train_samples: Annotated[int, Field(ge=1)] = 1000
    test_samples: Annotated[int, Field(ge=1)] = 500
    classes: Annotated[int, Field(ge=2, le=256)] = 10
    size: Annotated[int, Field(ge=_BLOCKS, le=1024)] = 28
    channels: Annotated[int, Field(ge=1, le=16)] = 1
    noise: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] = 40.0
    seed: Annotated[int, Field(ge=0)] = 0

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
