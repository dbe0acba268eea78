"""Rotates an image about its middle by up to some degrees; what comes into it from outside is black."""

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.learning.augmentations import Image


@settings
class Rotate:
    """All angles are as likely as one another; levels between pixels are interpolated linearly."""

    degrees: Annotated[float, Field(gt=0.0, le=180.0)] = 15.0
    """The most that an image is rotated, either way."""

    def apply(self, image: Image, draws: np.random.Generator) -> Image:
        """Return `image` [channels, h, w], rotated."""
        from scipy.ndimage import affine_transform

        angle = math.radians(draws.uniform(-self.degrees, self.degrees))
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        middle = (np.array(image.shape[1:]) - 1) / 2
        start = middle - turn @ middle
        planes = [affine_transform(plane.astype(np.float32), turn, start, order=1) for plane in image]
        rotated: Image = np.rint(np.stack(planes)).astype(np.uint8)
        return rotated
