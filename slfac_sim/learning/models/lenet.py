"""LeNet-5, with ReLU and max-pooling, in five named blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from slfac_sim.foundation.plugins import settings

if TYPE_CHECKING:
    from torch import nn


@settings
class LeNet:
    """The layers are those of LeCun et al. (1998, section II.B), for images of 12x12 and more.

    As most use it today: ReLU in place of the sigmoids, max-pooling, every map of the second convolution sees
    all of the first, and the last layer is linear. Blocks: `conv1` and `conv2` (each a 5x5 convolution, ReLU,
    2x2 max-pool; 6 and 16 channels), `fc1` (120), `fc2` (84) and `head`. Images of 28x28 give 6x14x14 after
    `conv1` and 16x5x5 after `conv2`; maps of other sizes are averaged to 5x5 before `fc1`.
    """

    references: ClassVar[tuple[str, ...]] = ("lecun1998gradient",)

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return the five blocks; 61,706 parameters with 1 channel and 10 classes."""
        from torch import nn

        from slfac_sim.learning.models._blocks import Averaged

        relu, pool = nn.ReLU(inplace=True), nn.MaxPool2d(2)
        flat = Averaged(5), nn.Flatten()
        return [
            ("conv1", nn.Sequential(nn.Conv2d(channels, 6, 5, padding=2), relu, pool)),
            ("conv2", nn.Sequential(nn.Conv2d(6, 16, 5), relu, pool)),
            ("fc1", nn.Sequential(*flat, nn.Linear(400, 120), relu)),
            ("fc2", nn.Sequential(nn.Linear(120, 84), relu)),
            ("head", nn.Linear(84, classes)),
        ]
