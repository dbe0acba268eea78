"""Augmentations: what is done to a training image each time a device learns from it; they know no torch.

One file per kind; a scenario lists any number of them (`data: {augment: [flip, {kind: crop, pad: 4}]}`), done
in this order. An augmentation is a frozen dataclass of settings with one verb, `apply`. What it draws is
keyed by device, sample and how often the device has learnt from it, so that nothing else changes it.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.plugins import Family

Image = NDArray[np.uint8]


class Augmentation(Protocol):
    """Settings of one augmentation."""

    def apply(self, image: Image, draws: np.random.Generator) -> Image:
        """Return `image` [channels, h, w] as it is learnt from this time; it is left as it was."""
        ...


FAMILY = Family(Augmentation)
