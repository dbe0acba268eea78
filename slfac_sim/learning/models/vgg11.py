"""VGG-11, in nine named blocks, or eleven with the classifier of its paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import settings

if TYPE_CHECKING:
    from torch import nn

_WIDTHS = (64, 128, 256, 256, 512, 512, 512, 512)
_POOLED = (1, 2, 4, 6, 8)


@settings
class Vgg11:
    """Configuration A of Simonyan and Zisserman (2015, arXiv:1409.1556, Table 1).

    Blocks: `conv1` to `conv8` (each a 3x3 convolution, batch-norm if asked for, ReLU, and after the first,
    second, fourth, sixth and eighth a 2x2 max-pool that leaves no row out), `fc1` and `fc2` (with
    ``classifier: imagenet``) and `head`. Images of 32x32 give 64x16x16 after `conv1`, 512x1x1 after `conv8`.
    """

    references: ClassVar[tuple[str, ...]] = ("simonyan2015very",)

    classifier: Literal["linear", "imagenet"] = "linear"
    """What follows the convolutions: global average and one linear layer (`linear`), or the paper's maps of
    7x7 and two hidden layers of 4,096, 120 million weights (`imagenet`).
    """
    batch_norm: bool = True
    """Whether each convolution is followed by batch normalisation, which the paper did not have."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5
    """Part of the values that is dropped after each hidden layer of the `imagenet` classifier."""

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return the blocks; 132,863,336 parameters as published, with 3 channels and 1000 classes."""
        from torch import nn

        from slfac_sim.learning.models._blocks import NORMS, Averaged, convolution, head

        norm = NORMS["batch"] if self.batch_norm else None
        widths = (channels, *_WIDTHS)
        convolutions: list[tuple[str, nn.Module]] = [
            (f"conv{n}", convolution(widths[n - 1], widths[n], norm, n in _POOLED, bias=True))
            for n in range(1, len(widths))
        ]
        if self.classifier == "linear":
            return [*convolutions, ("head", head(512, classes))]
        first: list[nn.Module] = [Averaged(7), nn.Flatten(), nn.Linear(512 * 49, 4096)]
        hidden = nn.ReLU(inplace=True), nn.Dropout(self.dropout)
        return [
            *convolutions,
            ("fc1", nn.Sequential(*first, *hidden)),
            ("fc2", nn.Sequential(nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(self.dropout))),
            ("head", nn.Linear(4096, classes)),
        ]
