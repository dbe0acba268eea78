"""The modules of the small convolutional network."""

from torch import nn

from slfac_sim.learning.models._resnet import head


def _convolution(channels_in: int, channels_out: int, norm: bool, pool: bool) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=not norm)]
    layers += [nn.BatchNorm2d(channels_out)] if norm else []
    layers += [nn.ReLU(inplace=True)]
    layers += [nn.MaxPool2d(2, ceil_mode=True)] if pool else []
    return nn.Sequential(*layers)


def plain_blocks(channels: int, classes: int, width: int, norm: bool) -> list[tuple[str, nn.Module]]:
    """Return `conv1`, `conv2`, `conv3` and `head`."""
    return [
        ("conv1", _convolution(channels, width, norm, pool=True)),
        ("conv2", _convolution(width, 2 * width, norm, pool=True)),
        ("conv3", _convolution(2 * width, 4 * width, norm, pool=False)),
        ("head", head(4 * width, classes)),
    ]
