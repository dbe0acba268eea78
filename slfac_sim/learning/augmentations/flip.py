"""Flips an image left to right, half of the times."""

from typing import Annotated

import numpy as np
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.augmentations import Image


@settings
class Flip:
    """What is not alike in a mirror, as digits are not, should not be flipped."""

    chance: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """The part of the times that an image is flipped."""

    def apply(self, image: Image, draws: np.random.Generator) -> Image:
        """Return `image` [channels, h, w], mirrored or as it is."""
        return image[:, :, ::-1] if draws.random() < self.chance else image
