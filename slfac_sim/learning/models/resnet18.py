"""ResNet-18, in eleven named blocks, or ten with the stem for small images."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from slfac_sim.foundation.plugins import settings

if TYPE_CHECKING:
    from torch import nn


@settings
class ResNet18:
    """The network of He et al. (2016, arXiv:1512.03385, Table 1).

    Blocks: `stem` (7x7 stride 2, batch-norm, ReLU), `pool` (3x3 stride 2), `block1` to `block8` (two
    basic blocks at each of 64, 128, 256, 512 channels) and `head` (global average, linear). Images of
    28x28 give 64x14x14 after `stem` and 64x7x7 after `pool`, `block1` and `block2`.
    """

    references: ClassVar[tuple[str, ...]] = ("he2016deep",)

    stem: Literal["imagenet", "cifar"] = "imagenet"
    """The paper's for large images (`imagenet`), or a 3x3 convolution of stride 1 and no `pool`, as most take
    for images of 32x32 (`cifar`).
    """

    norm: Literal["batch", "group"] = "batch"
    """What normalises: over the mini-batch, or over 16 channels of a sample at a time (`group`; Wu, He, 2018,
    arXiv:1803.08494), which has no statistics.
    """

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return the blocks; 11,689,512 parameters with 3 channels, 1000 classes and the `imagenet` stem."""
        from slfac_sim.learning.models._blocks import NORMS, resnet_blocks

        return resnet_blocks(channels, classes, self.stem == "cifar", NORMS[self.norm])
