"""Forward passes by the kernels that are fastest on this host; they compute what the model's own would.

Neither models nor codecs know of it: what goes in and comes out is contiguous [batch, channels, h, w], and
the work and memory that simulated hosts are charged for are counted on the model itself.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import conv2d, linear
from torch.overrides import TorchFunctionMode

_SMALL = 4  # positions of an output map, 2x2

Pair = int | Sequence[int]


def forward(model: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor) -> torch.Tensor:
    """Return ``model(inputs)``, contiguous; its backward pass, too, is by the kernels chosen here.

    On CPUs maps are laid out channels last, where convolutions, pooling and batch-norm are faster, and
    convolutions with small outputs are matrix products over the batch: oneDNN has no kernel for the weight
    gradient of these without AVX-512, and falls back to a product for every sample. On other hosts the
    model runs as it is.
    """
    if inputs.device.type != "cpu":
        return model(inputs).contiguous()
    if inputs.dim() == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    with _SmallMapsAsProducts():
        return model(inputs).contiguous()


class _SmallMapsAsProducts(TorchFunctionMode):
    """While it is active, convolutions with outputs of at most 2x2 are matrix products."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Perform the operation."""
        return (_convolve if func is conv2d else func)(*args, **(kwargs or {}))


def _convolve(
    input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, stride: Pair = 1,
    padding: Pair | str = 0, dilation: Pair = 1, groups: int = 1,
) -> torch.Tensor:  # fmt: skip
    """Return what `torch.nn.functional.conv2d` returns; its parameters have the same names."""
    plain = groups == 1 and _pair(dilation) == (1, 1) and not isinstance(padding, str)
    if plain and input.dim() == 4:
        sides = zip(input.shape[2:], weight.shape[2:], _pair(stride), _pair(padding), strict=True)
        rows, columns = (_windows(*side) for side in sides)
        if 0 < len(rows) * len(columns) <= _SMALL:
            return _products(input, weight, bias, rows, columns)
    return conv2d(input, weight, bias, stride, padding, dilation, groups)


Window = tuple[slice, slice]


@functools.lru_cache(maxsize=1024)
def _windows(size: int, kernel: int, stride: int, padding: int) -> tuple[Window, ...]:
    """Return for each output along one side what it sees: a part of the input, and by which of the taps."""
    windows = []
    for first in range(-padding, size + padding - kernel + 1, stride):
        seen = range(size)[max(first, 0) : max(first + kernel, 0)]
        windows.append((slice(seen.start, seen.stop), slice(seen.start - first, seen.stop - first)))
    return tuple(windows)


def _products(
    inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None,
    rows: Sequence[Window], columns: Sequence[Window],
) -> torch.Tensor:  # fmt: skip
    """Return the convolution: each output position is one product over the batch, without taps on padding."""
    maps, taps = inputs.permute(0, 2, 3, 1), weight.permute(0, 2, 3, 1)
    positions = [
        linear(maps[:, r, c].flatten(1), taps[:, by_r, by_c].flatten(1), bias)
        for r, by_r in rows
        for c, by_c in columns
    ]
    return torch.stack(positions, 1).view(len(inputs), len(rows), len(columns), -1).permute(0, 3, 1, 2)


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[-1]))
