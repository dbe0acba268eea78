"""The symbols of a row's bands (`_quantise`), brought together by width; it knows no codec.

Symbols of one width make one block, the narrowest first; in a block they go sample by sample, from left to
right. `bits` and `sizes` are of every band ([groups, 2]); width 0 has no symbols.
"""

import functools
import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs.kit.packing import Symbols

Bits = NDArray[np.uint8]
Sizes = NDArray[np.int64]


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
