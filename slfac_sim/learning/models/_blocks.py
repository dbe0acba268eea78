"""The modules of the models: of ResNet-18 (He et al., 2016, arXiv:1512.03385), and of the small network."""

import math
from collections.abc import Callable

import torch
from torch import nn

Norm = Callable[[int], nn.Module]
"""A normalisation for so many channels."""


def group_norm(channels: int) -> nn.Module:
    """Return a normalisation over 16 channels at a time (Wu, He, 2018, arXiv:1803.08494, table 3), or all."""
    return nn.GroupNorm(math.gcd(max(channels // 16, 1), channels), channels)


NORMS: dict[str, Norm] = {"batch": nn.BatchNorm2d, "group": group_norm}


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a short cut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, channels_in: int, channels_out: int, stride: int, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.norm1 = norm(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.norm2 = norm(channels_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), norm(channels_out)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map [batch, channels_in, h, w] to [batch, channels_out, h/stride, w/stride]."""
        y = torch.relu_(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return torch.relu_(y + self.shortcut(x))


class Averaged(nn.Module):
    """Average maps to `size` x `size`, as `nn.AdaptiveAvgPool2d`, whose backward pass on GPUs is not exact.

    Maps of that size go through as they are.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Map [batch, channels, h, w] to [batch, channels, size, size]."""
        if maps.shape[2:] == (self._size, self._size):
            return maps
        rows, columns = (self._weights(side).to(maps) for side in maps.shape[2:])
        averaged: torch.Tensor = rows @ maps @ columns.T
        return averaged

    def _weights(self, side: int) -> torch.Tensor:
        """Return [size, side]: what each output takes of each input along one side."""
        size = self._size
        windows = [(place * side // size, -(-(place + 1) * side // size)) for place in range(size)]
        inputs = torch.arange(side)
        return torch.stack(
            [((first <= inputs) & (inputs < last)) / (last - first) for first, last in windows]
        )


def stem(channels: int, small: bool, norm: Norm = nn.BatchNorm2d) -> nn.Module:
    """Return the ImageNet stem without its pooling (7x7, stride 2), or the one for `small` images (3x3)."""
    size, stride = (3, 1) if small else (7, 2)
    convolution = nn.Conv2d(channels, 64, size, stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, norm(64), nn.ReLU(inplace=True))


def head(channels: int, classes: int) -> nn.Module:
    """Return global average pooling (any map size) and the classifier."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def resnet_blocks(
    channels: int, classes: int, small: bool, norm: Norm = nn.BatchNorm2d
) -> list[tuple[str, nn.Module]]:
    """Return ResNet-18's blocks in order, from `stem` to `head`; for `small` images without `pool`."""
    named: list[tuple[str, nn.Module]] = [("stem", stem(channels, small, norm))]
    named += [] if small else [("pool", nn.MaxPool2d(3, 2, 1))]
    width_in = 64
    for group, width in enumerate((64, 128, 256, 512)):
        for place in range(2):
            stride = 2 if group > 0 and place == 0 else 1
            named.append((f"block{2 * group + place + 1}", BasicBlock(width_in, width, stride, norm)))
            width_in = width
    return [*named, ("head", head(width_in, classes))]


def plain_blocks(channels: int, classes: int, width: int, norm: Norm | None) -> list[tuple[str, nn.Module]]:
    """Return `conv1`, `conv2`, `conv3` and `head`."""
    return [
        ("conv1", convolution(channels, width, norm, pool=True)),
        ("conv2", convolution(width, 2 * width, norm, pool=True)),
        ("conv3", convolution(2 * width, 4 * width, norm, pool=False)),
        ("head", head(4 * width, classes)),
    ]


def convolution(
    channels_in: int, channels_out: int, norm: Norm | None, pool: bool, bias: bool = False
) -> nn.Module:
    """Return a 3x3 convolution, a `norm` if there is one, ReLU, and a 2x2 max-pool that leaves no row out.

    It has a bias where no norm follows, or with `bias`.
    """
    layers: list[nn.Module] = [nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=bias or norm is None)]
    layers += [] if norm is None else [norm(channels_out)]
    layers += [nn.ReLU(inplace=True)]
    layers += [nn.MaxPool2d(2, ceil_mode=True)] if pool else []
    return nn.Sequential(*layers)
