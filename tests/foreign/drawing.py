"""A model that draws on every occasion: in its constructor, its initial weights, training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


class _Noise(nn.Module):
    """Multiplies by a learnt scale, by what the constructor drew, and by noise, in evaluation too."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(()))
        self.register_buffer("fixed", 1.0 + 0.1 * torch.rand(()))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the scale."""
        nn.init.uniform_(self.scale, 0.9, 1.1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fixed: Any = self.fixed
        return x * self.scale * fixed * (1.0 + 0.2 * torch.rand_like(x))


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Four blocks with dropout and noise; batch-norm keeps each apart from the others."""

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return the blocks."""

        def block(into: int, out: int) -> nn.Module:
            return nn.Sequential(
                *(nn.Conv2d(into, out, 3, padding=1), nn.BatchNorm2d(out), nn.PReLU()),
                *(nn.MaxPool2d(2), nn.Dropout(0.2), _Noise()),
            )

        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.1), nn.Linear(8, classes), nn.PReLU()]
        return [("conv1", block(channels, 4)), ("conv2", block(4, 8)), ("head", nn.Sequential(*head))]
