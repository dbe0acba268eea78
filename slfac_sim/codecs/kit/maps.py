"""Tensors of any shape as maps, [batch, channels, h, w], and back; it knows no transform and no quantiser.

Channels are the second axis of images and the last of tokens [B, T, D], whose maps are T by 1. Of more than
four dimensions, those between the channels and the last are one.

>>> map_shape((8, 16, 5)), map_shape((8, 600)), folded_shape((8, 600))
((8, 5, 16, 1), (8, 600, 1, 1), (8, 1, 3, 200))
>>> tensor = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
>>> maps = maps_of(tensor, map_shape(tensor.shape))
>>> maps.shape, bool((tensor_of(maps, tensor.shape) == tensor).all())
((1, 3, 2, 1), True)
"""

import math

import numpy as np

from slfac_sim.codecs import Tensor
from slfac_sim.codecs.kit.floats import Floats

Shape = tuple[int, int, int, int]

MAX_SIDE = 256  # of a map that is transformed: bounds the matrices, and what a header can claim


def map_shape(shape: tuple[int, ...]) -> Shape:
    """Return [batch, channels, h, w] for a tensor of `shape`: features are channels, a vector is one row."""
    if len(shape) < 2:
        return 1, 1, 1, math.prod(shape)
    if len(shape) == 2:
        return shape[0], shape[1], 1, 1
    if len(shape) == 3:
        return shape[0], shape[2], shape[1], 1
    return shape[0], shape[1], math.prod(shape[2:-1]), shape[-1]


def folded_shape(shape: tuple[int, ...]) -> Shape:
    """Return the same, but features, and a vector, as one map a sample: a row, folded where it is too long.

    It has as few rows as make them short enough; if no number of rows divides it, with a few places more
    (ours: features have no order of their own).
    """
    if len(shape) > 2:
        return map_shape(shape)
    batch = shape[0] if len(shape) == 2 else 1
    length = math.prod(shape) // batch
    least = -(-length // MAX_SIDE)
    rows = next((rows for rows in range(least, MAX_SIDE + 1) if length % rows == 0), least)
    return batch, 1, rows, -(-length // rows)


def maps_of(tensor: Tensor, shape: Shape) -> Floats:
    """Return `tensor` as maps of `shape`, with zeros at the end of a sample that does not fold evenly."""
    ordered = tensor.transpose(0, 2, 1) if tensor.ndim == 3 else tensor
    missing = math.prod(shape) - tensor.size
    if missing:
        ordered = np.pad(ordered.reshape(shape[0], -1), [(0, 0), (0, missing // shape[0])])
    return ordered.reshape(shape)


def tensor_of(maps: Floats, shape: tuple[int, ...]) -> Tensor:
    """Return the tensor of `shape` whose maps are `maps`; the inverse of `maps_of`."""
    if len(shape) == 3:
        return np.ascontiguousarray(maps.reshape(shape[0], shape[2], shape[1]).transpose(0, 2, 1))
    samples = maps.reshape(len(maps), -1)
    return np.ascontiguousarray(samples[:, : math.prod(shape) // len(maps)]).reshape(shape)
