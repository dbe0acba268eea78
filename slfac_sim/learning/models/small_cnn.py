"""A small convolutional network, in four named blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import settings

if TYPE_CHECKING:
    from torch import nn


@settings
class SmallCnn:
    """Three 3x3 convolutions of `width`, 2 `width` and 4 `width` channels, for quick studies and tests.

    Blocks: `conv1` and `conv2` (each convolution, optional batch-norm, ReLU, 2x2 max-pool), `conv3` (the same
    without the pool) and `head` (global average, linear). Images of 28x28 with width 16 give 16x14x14 after
    `conv1` and 32x7x7 after `conv2`.
    """

    width: Annotated[int, Field(ge=1, le=128)] = 16
    """Channels of the first convolution; the second has twice, the third four times as many."""
    batch_norm: bool = True
    """Whether each convolution is followed by a normalisation."""
    norm: Literal["batch", "group"] = "batch"
    """What that normalises over: the mini-batch, or up to 16 channels of a sample at a time (`group`)."""

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return the four blocks."""
        from slfac_sim.learning.models._blocks import NORMS, plain_blocks

        norm = NORMS[self.norm] if self.batch_norm else None
        return plain_blocks(channels, classes, self.width, norm)
