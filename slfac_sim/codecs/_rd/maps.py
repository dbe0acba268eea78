"""Tensors of any shape as [batch, channels, h, w], and the frequencies of such maps.

It knows no quantiser. Channels are the second axis of images and the last of tokens [B, T, D], whose maps
are T by 1, and of features [B, D]; a vector is one map of one row.
"""

import math

import numpy as np

from slfac_sim.codecs import Tensor
from slfac_sim.codecs.kit.dct import forward, inverse, zigzag
from slfac_sim.codecs.kit.floats import Floats

Shape = tuple[int, int, int, int]

MAX_SIDE = 256  # of a map that can be transformed: bounds the matrices


def map_shape(shape: tuple[int, ...]) -> Shape:
    """Return [batch, channels, h, w] for a tensor of `shape`."""
    if len(shape) < 2:
        return 1, 1, 1, math.prod(shape)
    if len(shape) == 2:
        return shape[0], shape[1], 1, 1
    if len(shape) == 3:
        return shape[0], shape[2], shape[1], 1
    return shape[0], shape[1], math.prod(shape[2:-1]), shape[-1]


def maps_of(tensor: Tensor) -> Floats:
    """Return `tensor` as maps; a view where the order allows one."""
    ordered = tensor.transpose(0, 2, 1) if tensor.ndim == 3 else tensor
    return ordered.reshape(map_shape(tensor.shape))


def tensor_of(maps: Floats, shape: tuple[int, ...]) -> Tensor:
    """Return the tensor of `shape` whose maps are `maps`; the inverse of `maps_of`."""
    if len(shape) == 3:
        return np.ascontiguousarray(maps[..., 0].transpose(0, 2, 1))
    return maps.reshape(shape)


def can_transform(shape: Shape) -> bool:
    """Whether maps of `shape` have frequencies."""
    return shape[2] * shape[3] > 1 and max(shape[2:]) <= MAX_SIDE


def to_frequencies(maps: Floats) -> Floats:
    """Return the DCT coefficients of `maps`, of the same shape and energy; row and column are frequencies."""
    height, width = maps.shape[2:]
    ordered = forward(maps.reshape(-1, height, width))
    return np.take(ordered, np.argsort(zigzag(height, width)), axis=1).reshape(maps.shape)


def from_frequencies(coefficients: Floats) -> Floats:
    """Return the maps of `coefficients`; the inverse of `to_frequencies`."""
    height, width = coefficients.shape[2:]
    ordered = np.take(coefficients.reshape(-1, height * width), zigzag(height, width), axis=1)
    return inverse(ordered, height, width).reshape(coefficients.shape)
