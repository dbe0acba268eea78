"""A model that draws from NumPy's generator, where no key of a simulation reaches it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


class _Noise(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * float(np.random.default_rng().uniform(0.5, 1.5))


@dataclass(frozen=True, kw_only=True)
class Unkeyed:
    """Two blocks, of which the first draws what nobody can repeat."""

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return the blocks."""
        first = nn.Sequential(nn.Conv2d(channels, 4, 3), _Noise())
        return [("conv1", first), ("head", nn.Sequential(nn.Flatten(), nn.Linear(400, classes)))]
