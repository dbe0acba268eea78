"""Data sets as people bring them: channels last, too few labels, fractions for levels, no channel axis."""

from typing import Any, Literal

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.datasets import Dataset, DataSource


@settings
class OddData(DataSource):
    """40 images of 12 x 12 in 4 classes, odd in one way or, if `grey`, without a channel axis."""

    form: Literal["nhwc", "labels", "float", "flat", "grey"] = "grey"

    def load(self, report: Any = None) -> Dataset:
        draws = np.random.default_rng(0)
        shape = {"nhwc": (40, 12, 12, 3), "flat": (40, 144), "grey": (40, 12, 12)}.get(
            self.form, (40, 1, 12, 12)
        )
        images: Any = draws.integers(0, 256, shape).astype(np.uint8)
        labels = np.arange(40, dtype=np.int32) % 4
        if self.form == "float":
            images = (images / 255).astype(np.float32)
        parts = {"train_images": images, "test_images": images, "test_labels": labels}
        labels = labels[:39] if self.form == "labels" else labels
        about = {"classes": 4, "mean": (0.5,), "std": (0.3,), "real": False, "source": "made up"}
        return Dataset(name="odd", train_labels=labels, **parts, **about)
