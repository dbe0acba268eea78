"""MobileNetV2, in twenty named blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import settings

if TYPE_CHECKING:
    from torch import nn


@settings
class MobileNetV2:
    """Inverted residuals with depthwise convolutions (Sandler et al., 2018, arXiv:1801.04381, Table 2).

    Blocks: `stem` (3x3 convolution), `block1` to `block17` (one inverted residual each), `last` (1x1
    convolution) and `head` (global average, dropout, linear). Images of 32x32 give 32x16x16 after `stem` and
    16x16x16 after `block1`, with a `stem` for 32x32 images 32x32x32 and 16x32x32.
    """

    references: ClassVar[tuple[str, ...]] = ("sandler2018mobilenetv2",)

    stem: Literal["imagenet", "cifar"] = "imagenet"
    """The paper's strides (`imagenet`: `stem` and `block2` halve the maps), or neither of these two, for
    images of about 32x32 (`cifar`).
    """
    width: Annotated[float, Field(ge=0.1, le=2.0)] = 1.0
    """Multiple of the channels of every block, rounded to multiples of 8; `last` has 1,280 at least."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Part of the values that is dropped before the last layer."""

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return the twenty blocks; 3,504,872 parameters with 3 channels and 1000 classes."""
        from slfac_sim.learning.models._mobilenet import mobilenet_blocks

        small = self.stem == "cifar"
        return mobilenet_blocks(channels, classes, self.width, self.dropout, small)
