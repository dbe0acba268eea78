"""Shifts an image by up to some pixels each way: it is padded with black, and a part of its size is taken."""

from typing import Annotated

import numpy as np
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.augmentations import Image


@settings
class Crop:
    """All shifts are as likely as one another."""

    pad: Annotated[int, Field(ge=1, le=256)] = 4
    """Pixels of padding on each side, and so the most that an image is shifted."""

    def apply(self, image: Image, draws: np.random.Generator) -> Image:
        """Return `image` [channels, h, w], shifted."""
        down, right = draws.integers(2 * self.pad + 1, size=2)
        height, width = image.shape[1:]
        padded = np.pad(image, ((0, 0), (self.pad, self.pad), (self.pad, self.pad)))
        return padded[:, down : down + height, right : right + width]
