"""The modules of MobileNetV2 (Sandler et al., 2018, arXiv:1801.04381)."""

import torch
from torch import nn

_GROUPS = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Of each row of Table 2: expansion, channels, blocks, and the stride of the first block."""


class InvertedResidual(nn.Module):
    """Expand by a 1x1 convolution, filter each channel by itself (3x3), project to few channels.

    The input is added where the shape stays.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = channels_in * expansion
        layers = [] if expansion == 1 else [_filtered(channels_in, hidden, 1)]
        layers += [_filtered(hidden, hidden, 3, stride, groups=hidden)]
        project = nn.Conv2d(hidden, channels_out, 1, bias=False)
        self.layers = nn.Sequential(*layers, project, nn.BatchNorm2d(channels_out))
        self._adds = stride == 1 and channels_in == channels_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map [batch, channels_in, h, w] to [batch, channels_out, h/stride, w/stride]."""
        y: torch.Tensor = self.layers(x)
        return x + y if self._adds else y


def mobilenet_blocks(
    channels: int, classes: int, width: float, dropout: float, small: bool
) -> list[tuple[str, nn.Module]]:
    """Return the blocks in order; `small` leaves out the strides of `stem` and `block2`."""
    width_in = _multiple_of_8(32 * width)
    named: list[tuple[str, nn.Module]] = [("stem", _filtered(channels, width_in, 3, 1 if small else 2))]
    for expansion, of_group, count, stride in _GROUPS:
        width_out = _multiple_of_8(of_group * width)
        for place in range(count):
            first_stride = 1 if small and of_group == 24 else stride
            block = InvertedResidual(width_in, width_out, first_stride if place == 0 else 1, expansion)
            named.append((f"block{len(named)}", block))
            width_in = width_out
    last = _multiple_of_8(1280 * max(1.0, width))
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(last, classes))
    return [*named, ("last", _filtered(width_in, last, 1)), ("head", nn.Sequential(*head))]


def _filtered(channels_in: int, channels_out: int, size: int, stride: int = 1, groups: int = 1) -> nn.Module:
    convolution = nn.Conv2d(
        channels_in, channels_out, size, stride, padding=size // 2, groups=groups, bias=False
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(channels_out), nn.ReLU6(inplace=True))


def _multiple_of_8(channels: float) -> int:
    """Return the nearest multiple of 8, which is not under 90 % of `channels` (the authors' code)."""
    near = max(8, int(channels + 4) // 8 * 8)
    return near if near >= 0.9 * channels else near + 8
