"""Tensors of any shape as the maps that SL-FAC transforms: [batch, channels, h, w]; it knows no transform.

Tokens [B, T, D] are D channels of T by 1 maps, so that the DCT runs along the tokens. Features [B, D], and
vectors, are one map a sample: a row, folded where it is longer than a side may be, with zeros at its end if
it does not fold evenly (ours: features have no order of their own). Of more than four dimensions, those
between the channels and the last are one.
"""

import math

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs._slfac.wire import MAX_SIDE
from slfac_sim.codecs.kit.floats import Floats


def map_shape(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return [batch, channels, h, w] for a tensor of `shape`."""
    if len(shape) < 3:
        batch = shape[0] if len(shape) == 2 else 1
        return batch, 1, *_folded(math.prod(shape) // batch)
    if len(shape) == 3:
        return shape[0], shape[2], shape[1], 1
    return shape[0], shape[1], math.prod(shape[2:-1]), shape[-1]


def maps_of(tensor: Floats) -> Floats:
    """Return `tensor` as [batch, channels, h, w]."""
    ordered = tensor.transpose(0, 2, 1) if tensor.ndim == 3 else tensor
    shape = map_shape(tensor.shape)
    missing = math.prod(shape) - tensor.size
    if missing:
        ordered = np.pad(ordered.reshape(shape[0], -1), [(0, 0), (0, missing // shape[0])])
    return ordered.reshape(shape)


def tensor_of(maps: Floats, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the tensor of `shape` whose maps are `maps`; the inverse of `maps_of`."""
    if len(shape) == 3:
        return np.ascontiguousarray(maps.reshape(shape[0], shape[2], shape[1]).transpose(0, 2, 1))
    samples = maps.reshape(len(maps), -1)
    length = math.prod(shape) // len(maps)
    return np.ascontiguousarray(samples[:, :length]).reshape(shape)


def _folded(length: int) -> tuple[int, int]:
    """Return rows and columns of a map of `length` values: as few rows as make them short enough.

    If no number of rows divides `length`, they have a few places more.
    """
    least = -(-length // MAX_SIDE)
    rows = next((rows for rows in range(least, MAX_SIDE + 1) if length % rows == 0), least)
    return rows, -(-length // rows)
