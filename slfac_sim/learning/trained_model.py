"""A trained model together with how its images were normalised; it knows no data set and no file."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn


class TrainedModel(nn.Module):
    """`blocks` by name, in evaluation mode, and the `pixel_mean` and `pixel_std` that their images need.

    Called with normalised images [batch, channels, h, w] it returns logits [batch, classes], `of_levels` does
    so with pixels as they are. Both moments are fractions of 255, of shape [channels]; they go along to a
    device.
    """

    pixel_mean: torch.Tensor
    pixel_std: torch.Tensor

    def __init__(
        self, blocks: Iterable[tuple[str, nn.Module]], mean: Sequence[float], std: Sequence[float]
    ) -> None:
        super().__init__()
        for name, block in blocks:
            self.add_module(name, block)
        self.register_buffer("pixel_mean", torch.tensor(mean), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(std), persistent=False)
        self.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits of normalised `images`."""
        for block in self.children():
            images = block(images)
        return images

    def normalised(self, levels: torch.Tensor) -> torch.Tensor:
        """Return images of whole `levels` from 0 to 255 as the model sees them: [batch, channels, h, w]."""
        mean, std = (moments[:, None, None] for moments in (self.pixel_mean, self.pixel_std))
        return (levels / 255.0 - mean) / std

    def of_levels(self, levels: torch.Tensor) -> torch.Tensor:
        """Return the logits of images of whole `levels` from 0 to 255 (uint8 [batch, channels, h, w])."""
        logits: torch.Tensor = self(self.normalised(levels))
        return logits
