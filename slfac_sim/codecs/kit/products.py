"""Matrix products that are the same, bit by bit, on any number of threads; it knows no codec.

A BLAS that spreads a product over threads cuts it where their number says, and what lies at a cut is added
up in another order. OpenBLAS does so above 2^18 multiply-adds (and then, with two threads on shared cores, it
takes up to 100 times as long): larger products are cut here, where their shapes say.

>>> product(np.ones((2, 3), np.float32), np.ones((3, 1), np.float32))
array([[3.],
       [3.]], dtype=float32)
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_T = TypeVar("_T", np.float32, np.float64)

_BLOCK_MACS = 2**18
_MATRIX_VALUES = 2**16  # of the right matrix in one block: leaves four rows of the left one

AVX2_ROWS = 12  # that OpenBLAS's AVX2 kernel takes at a time: cut at multiples of it, it gives the same bits


def product(left: NDArray[_T], right: NDArray[_T], together: int = 1) -> NDArray[_T]:
    """Return `left` @ `right` ([..., rows, depth] and [..., depth, columns]), a new array.

    Where the rows have to be cut, as many as are a multiple of `together` stay together, if that many can.
    """
    (rows, depth), columns = left.shape[-2:], right.shape[-1]
    wide = min(columns, max(1, _MATRIX_VALUES // depth))
    tall = max(1, _BLOCK_MACS // (depth * wide))
    stack: tuple[int, ...] = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    out: NDArray[_T] = np.empty_like(left, shape=(*stack, rows, columns))  # in the order that `left` has
    if rows <= tall and columns == wide:
        return np.matmul(left, right, out=out)
    tall -= tall % min(tall, together)
    blocks, end = rows // tall, rows - rows % tall

    def cut(matrix: NDArray[_T]) -> NDArray[_T]:  # a view: numpy goes through the blocks faster than Python
        return matrix[..., :end, :].reshape(*matrix.shape[:-2], blocks, tall, matrix.shape[-1])

    for begin in range(0, columns, wide):
        some, result = right[..., begin : begin + wide], out[..., begin : begin + wide]
        np.matmul(cut(left), some[..., None, :, :], out=cut(result))
        np.matmul(left[..., end:, :], some, out=result[..., end:, :])
    return out
