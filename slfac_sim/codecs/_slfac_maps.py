"""Tensors of any shape as the maps that SL-FAC transforms: [batch, channels, h, w]; it knows no transform.

Tokens [B, T, D] are D channels of T by 1 maps, so that the DCT runs along the tokens. Features [B, D], and
vectors, are one map a sample: a row, folded where it is longer than a side may be (ours: features have no
order of their own). Of more than four dimensions, those between the channels and the last are one.
"""

import math

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs._dct import Floats
from slfac_sim.codecs._slfac_wire import MAX_SIDE


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
    return ordered.reshape(map_shape(tensor.shape))


def tensor_of(maps: Floats, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the tensor of `shape` whose maps are `maps`; the inverse of `maps_of`."""
    if len(shape) == 3:
        return np.ascontiguousarray(maps.reshape(shape[0], shape[2], shape[1]).transpose(0, 2, 1))
    return maps.reshape(shape)


def _folded(length: int) -> tuple[int, int]:
    """Return rows and columns of a map of `length` values: as few rows as make them short enough."""
    rows = next((rows for rows in range(1, MAX_SIDE + 1) if _fits(length, rows)), 1)
    return rows, length // rows


def _fits(length: int, rows: int) -> bool:
    return length % rows == 0 and length // rows <= MAX_SIDE
