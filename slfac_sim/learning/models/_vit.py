"""The modules of the vision transformer (Dosovitskiy et al., 2021, arXiv:2010.11929, section 3.1)."""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

_EPS = 1e-6  # of layer norm, as the authors have it


class Embedding(nn.Module):
    """Patches as tokens, behind a class token; each with a learnt position added."""

    def __init__(self, channels: int, size: int, patch: int, width: int, dropout: float) -> None:
        super().__init__()
        self._size = size
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.token = nn.Parameter(torch.empty(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, 1 + (size // patch) ** 2, width))
        self.dropout = nn.Dropout(dropout)

    def reset_parameters(self) -> None:
        """Begin with a class token of zeros, and positions from a normal distribution of deviation 0.02."""
        nn.init.zeros_(self.token)
        nn.init.normal_(self.positions, std=0.02)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map [batch, channels, size, size] to [batch, 1 + patches, width]."""
        if images.shape[2:] != (self._size, self._size):
            sides = " x ".join(map(str, images.shape[2:]))
            raise ValueError(f"images are {sides} pixels, and model.size is {self._size}")
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(images), -1, -1), tokens], 1) + self.positions
        dropped: torch.Tensor = self.dropout(tokens)
        return dropped


class Block(nn.Module):
    """Attention, then two linear layers on each token; what goes in is normalised, what comes out added."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, _EPS)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, _EPS)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.gelu = nn.GELU()
        self.dropout = nn.Dropout(dropout)
        self._heads = heads

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map [batch, tokens, width] to the same shape."""
        x = x + self.dropout(self._attention(self.norm1(x)))
        inner = self.dropout(self.gelu(self.linear1(self.norm2(x))))
        mapped: torch.Tensor = x + self.dropout(self.linear2(inner))
        return mapped

    def _attention(self, x: torch.Tensor) -> torch.Tensor:
        queries, keys, values = self.qkv(x).unflatten(2, (3, self._heads, -1)).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        mixed: torch.Tensor = self.out(seen)
        return mixed


class Head(nn.Module):
    """The classifier, on the class token alone."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, _EPS)
        self.linear = nn.Linear(width, classes)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map [batch, tokens, width] to logits [batch, classes]."""
        logits: torch.Tensor = self.linear(self.norm(tokens[:, 0]))
        return logits
