"""FQC: the min-max linear quantiser over runs of a long row, and its symbols brought together by width.

A *band* is a run of neighbouring columns; bands follow each other and cover the row, and `sizes` gives their
lengths, `bits` their widths ([groups, 2] both). Values are [samples, columns], and all samples share the
band's ends and bits. A band whose ends are equal is constant: it has no symbols. Symbols of one width make
one block, the narrowest first; in a block they go sample by sample, from left to right.
"""

import functools
import itertools
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.packing import Symbols

Bits = NDArray[np.uint8]
Sizes = NDArray[np.int64]
_T = TypeVar("_T", np.float32, np.float64, np.uint8)

_TINY = np.finfo(np.float32).tiny
_LEVELS = np.array([2.0**bits - 1 for bits in range(17)], np.float32)


def band_ends(values: Floats, sizes: Sizes) -> tuple[Floats, Floats]:
    """Return the smallest and the largest value of the two bands of every group ([groups, 2] each).

    `sizes` is [groups, 2]; the second band of a group may be empty, and then has ends of zero.
    """
    alone = len(values) == 1  # then a minimum over the samples would be a slow copy
    lowest, highest = (values[0], values[0]) if alone else (values.min(axis=0), values.max(axis=0))
    starts = _starts(sizes)
    return _reduced(np.minimum, lowest, sizes, starts), _reduced(np.maximum, highest, sizes, starts)


def by_band(reduction: np.ufunc, columns: NDArray[_T], sizes: Sizes) -> NDArray[_T]:
    """Return the minimum, maximum or sum of the `columns` of every band ([groups, 2]); 0 of an empty one."""
    return _reduced(reduction, columns, sizes, _starts(sizes))


def _starts(sizes: Sizes) -> NDArray[np.int64]:
    """Return the first column of every band; an empty one borrows the last column of the band before it.

    For runs of `reduceat` are never empty.
    """
    lengths = sizes.reshape(-1)
    starts = lengths.cumsum()
    starts -= lengths
    starts[1::2] -= sizes[:, 1] == 0
    return starts


def _reduced(
    reduction: np.ufunc, columns: NDArray[_T], sizes: Sizes, starts: NDArray[np.int64]
) -> NDArray[_T]:
    reduced: NDArray[_T] = reduction.reduceat(columns, starts).reshape(-1, 2)
    empty = sizes[:, 1] == 0
    if empty.any():
        reduced[empty, 0] = reduction(reduced[empty, 0], reduced[empty, 1])
        reduced[empty, 1] = 0
    return reduced


def spread(figures: NDArray[_T], sizes: Sizes) -> NDArray[_T]:
    """Return the figure of its band ([groups, 2]) for every column."""
    return figures.reshape(-1).repeat(sizes.reshape(-1))


def sent_bits(bits: Bits, ends: Floats) -> Bits:
    """Return the bits each value of a band takes: `bits` ([groups, 2]), but 0 where the ends are equal."""
    return bits * (ends[..., 0] < ends[..., 1])


def quantise(values: Floats, ends: Floats, bits: Bits, sizes: Sizes) -> Symbols:
    """Return q = round((x - min) / s), s = (max - min) / (2^b - 1), of shape `values`; overwrites `values`.

    Halves round up. `bits` are the sent ones: 0 gives q = 0.
    """
    lowest = ends[..., 0]
    per_step = _LEVELS[bits] / np.maximum(ends[..., 1] - lowest, _TINY)
    values -= spread(lowest, sizes)
    values *= spread(per_step, sizes)
    values += np.float32(0.5)
    return values.astype(np.uint8) if bits.max() <= 8 else values.astype(np.uint16)


def dequantise(symbols: Symbols, ends: Floats, bits: Bits, sizes: Sizes) -> Floats:
    """Return x^ = min + s q ([samples, columns]); the middle of what `quantise` gives the same symbol."""
    lowest = ends[..., 0]
    step = (ends[..., 1] - lowest) / np.maximum(_LEVELS[bits], 1)
    values = symbols.astype(np.float32)
    values *= spread(step, sizes)
    values += spread(lowest, sizes)
    return values


def widths(bits: Bits, sizes: Sizes) -> list[tuple[int, int]]:
    """Return (width, number of columns) of every block, in order."""
    counts = np.bincount(bits.reshape(-1), weights=sizes.reshape(-1)).tolist()
    return [(width, int(count)) for width, count in enumerate(counts) if width and count]


def gathered(symbols: Symbols, bits: Bits, sizes: Sizes) -> list[tuple[int, Symbols]]:
    """Return (width, symbols [samples x columns]) of every block of `symbols` ([samples, columns])."""
    blocks = widths(bits, sizes)
    if len(blocks) != 1 or blocks[0][1] < symbols.shape[1]:
        lengths = sizes.reshape(-1)
        band = _order(bits)
        symbols = symbols.take(_runs(_begins(lengths)[band], lengths[band]), axis=1)
    ends = itertools.accumulate(count for _, count in blocks)
    return [
        (width, symbols[:, end - count : end].ravel())
        for (width, count), end in zip(blocks, ends, strict=True)
    ]


def scattered(blocks: Sequence[Symbols], samples: int, bits: Bits, sizes: Sizes) -> Symbols:
    """Return symbols ([samples, columns]) of which `gathered` gives these `blocks`.

    Those of width 0 are any.
    """
    columns = int(sizes.sum())
    if not blocks:
        return np.zeros((samples, columns), np.uint8)
    symbols = np.concatenate([block.reshape(samples, -1) for block in blocks], axis=1)
    if len(blocks) == 1 and symbols.shape[1] == columns:
        return symbols
    lengths = sizes.reshape(-1)
    band = _order(bits)
    begins = np.zeros_like(lengths)
    begins[band] = _begins(lengths[band])
    return symbols.take(_runs(begins, lengths), axis=1, mode="clip")


def _order(bits: Bits) -> NDArray[np.int64]:
    """Return the bands that have symbols in the order of the blocks."""
    order = bits.reshape(-1).argsort(kind="stable")
    return order[bits.size - np.count_nonzero(bits) :]


def _begins(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each run begins if runs of `lengths` follow each other."""
    return lengths.cumsum() - lengths


def _runs(begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return whole numbers, run after run: from each of `begins` on, as many as `lengths` says."""
    numbers = (begins - _begins(lengths)).repeat(lengths)
    numbers += _counting(len(numbers))
    return numbers


@functools.lru_cache(maxsize=4)
def _counting(count: int) -> NDArray[np.int64]:
    return np.arange(count)
