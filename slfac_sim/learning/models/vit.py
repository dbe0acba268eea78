"""A vision transformer: patches as tokens, a few blocks of attention, and a class token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count

if TYPE_CHECKING:
    from torch import nn

Width = Annotated[int, Field(ge=1, le=4096)]


@settings
class VisionTransformer:
    """The model of Dosovitskiy et al. (2021, arXiv:2010.11929, section 3.1), small unless said otherwise.

    Blocks: `embed` (patches, class token, positions), `block1` to as many as `depth` (layer norm, attention,
    layer norm, two linear layers with GELU; each half is added to its input) and `head` (layer norm, linear
    on the class token). Between blocks go [batch, tokens, width]: 50 tokens for 28x28 images in patches of 4.
    ViT-B/16 is ``{size: 224, patch: 16, width: 768, depth: 12, heads: 12, hidden: 3072}``.
    """

    references: ClassVar[tuple[str, ...]] = ("dosovitskiy2021image",)

    size: Annotated[int, Field(ge=1, le=4096)] = 28
    """Height and width of the images in pixels: there is a position for each of their patches."""
    patch: Annotated[int, Field(ge=1, le=256)] = 4
    """Height and width of a patch in pixels; `size` must be a multiple of it."""
    width: Width = 64
    """Values of a token."""
    depth: Annotated[int, Field(ge=1, le=64)] = 4
    """Blocks of attention."""
    heads: Count = 4
    """Heads of each attention; `width` must be a multiple of it."""
    hidden: Annotated[int, Field(ge=1, le=16_384)] = 128
    """Values of a token between the two linear layers of a block."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Part of the values that is dropped after positions are added, after attention and in linear layers."""

    def __post_init__(self) -> None:
        if self.size % self.patch:
            raise ValueError(f"size must be a multiple of patch, {self.patch} (got {self.size})")
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, {self.heads} (got {self.width})")

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return `embed`, the blocks and `head`; 86,567,656 parameters for ViT-B/16 with 1000 classes."""
        from slfac_sim.learning.models._vit import Block, Embedding, Head

        embed = Embedding(channels, self.size, self.patch, self.width, self.dropout)
        blocks = [Block(self.width, self.heads, self.hidden, self.dropout) for _ in range(self.depth)]
        named = [(f"block{number}", block) for number, block in enumerate(blocks, start=1)]
        return [("embed", embed), *named, ("head", Head(self.width, classes))]
