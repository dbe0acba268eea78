"""The min-max linear quantiser over runs of a long row, and its symbols packed by width.

It knows no transform and no codec. A *band* is a run of neighbouring columns; bands follow each other and
cover the row, and `sizes` gives their lengths. Values are [samples, columns], and all samples share the
band's ends and bits. A band whose ends are equal is constant: it has no symbols.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from slfac_sim.codecs._dct import Floats
from slfac_sim.codecs._entropy import Entropy, decode_symbols, encode_symbols, entropy_bits, least_bytes
from slfac_sim.codecs._packing import Symbols
from slfac_sim.codecs._wire import Sections

_T = TypeVar("_T", np.float32, np.float64, np.uint8)

NARROWEST = 2.0**-100  # a band narrower than this is sent as constant: its step could not be inverted


def band_ends(values: Floats, sizes: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the smallest and the largest value of the two bands of every group ([groups, 2] each).

    `sizes` is [groups, 2]; the second band of a group may be empty, and then has ends of zero.
    """
    alone = len(values) == 1  # then a minimum over the samples would be a slow copy
    lowest, highest = (values[0], values[0]) if alone else (values.min(axis=0), values.max(axis=0))
    return by_band(np.minimum, lowest, sizes), by_band(np.maximum, highest, sizes)


def by_band(reduction: np.ufunc, columns: NDArray[_T], sizes: NDArray[np.int64]) -> NDArray[_T]:
    """Return the minimum, maximum or sum of the `columns` of every band ([groups, 2]); 0 of an empty one.

    An empty band borrows the last column of the first, as runs of `reduceat` are never empty.
    """
    spans = sizes.sum(axis=1)
    begins = np.cumsum(spans) - spans
    empty = sizes[:, 1] == 0
    starts = np.stack([begins, begins + sizes[:, 0] - empty], axis=1).reshape(-1)
    found: NDArray[_T] = reduction.reduceat(columns, starts).reshape(-1, 2)
    found[empty, 0] = reduction(found[empty, 0], found[empty, 1])
    found[empty, 1] = 0
    return found


def spread(figures: NDArray[_T], sizes: NDArray[np.int64]) -> NDArray[_T]:
    """Return the figure of its band ([groups, 2]) for every column."""
    return np.repeat(figures.reshape(-1), sizes.reshape(-1))


def rounded_ends(smallest: Floats, largest: Floats, dtype: DTypeLike) -> NDArray[np.floating]:
    """Return the ends as the header carries them ([groups, 2 bands, 2 ends] of `dtype`).

    Rounded outwards, so that no value lies outside and every error stays below half a step; ends that are
    equal (or next to it) are both rounded to the nearest, and stay equal.
    """
    ends = np.stack([smallest, largest], axis=-1)
    ends[largest - smallest < NARROWEST, 1] = smallest[largest - smallest < NARROWEST]
    rounded = ends.astype(dtype)
    open_ = ends[..., 0] < ends[..., 1]
    above, below = rounded[..., 0] > ends[..., 0], rounded[..., 1] < ends[..., 1]
    infinity = np.asarray(np.inf, rounded.dtype)
    np.nextafter(rounded[..., 0], -infinity, out=rounded[..., 0], where=open_ & above)
    np.nextafter(rounded[..., 1], infinity, out=rounded[..., 1], where=open_ & below)
    return rounded


def sent_bits(bits: NDArray[np.uint8], ends: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return the bits each value of a band takes: `bits` ([groups, 2]), but 0 where the ends are equal."""
    return np.where(ends[..., 0] < ends[..., 1], bits, np.uint8(0))


def quantise(
    values: Floats, ends: NDArray[np.floating], bits: NDArray[np.uint8], sizes: NDArray[np.int64]
) -> Symbols:
    """Return q = round((x - min) / s), s = (max - min) / (2^b - 1), of shape `values`; overwrites `values`.

    Halves round up. `bits` are the sent ones: 0 gives q = 0.
    """
    lowest, span = _span(ends)
    per_step = np.divide(_levels(bits), span, out=np.zeros_like(span), where=bits > 0)
    values -= spread(lowest, sizes)
    values *= spread(per_step, sizes)
    values += np.float32(0.5)
    return values.astype(np.uint8) if bits.max() <= 8 else values.astype(np.uint16)


def dequantise(
    symbols: Symbols, ends: NDArray[np.floating], bits: NDArray[np.uint8], sizes: NDArray[np.int64]
) -> Floats:
    """Return x^ = min + s q ([samples, columns]); the middle of what `quantise` gives the same symbol."""
    lowest, span = _span(ends)
    step = np.divide(span, _levels(bits), out=np.zeros_like(span), where=bits > 0)
    values = symbols.astype(np.float32)
    values *= spread(step, sizes)
    values += spread(lowest, sizes)
    return values


def _span(ends: NDArray[np.floating]) -> tuple[Floats, Floats]:
    wide = ends.astype(np.float32)
    return wide[..., 0], wide[..., 1] - wide[..., 0]


def _levels(bits: NDArray[np.uint8]) -> Floats:
    return np.exp2(bits.astype(np.float32)) - np.float32(1.0)


def symbol_bytes(
    bits: NDArray[np.uint8], sizes: NDArray[np.int64], samples: int, entropy: Entropy = "none"
) -> int:
    """Return the fewest bytes that the symbols of all bands take; packed by width, it is what they take."""
    return sum(least_bytes(count, width, entropy) for width, count in _classes(bits, sizes, samples))


def pack_by_width(
    symbols: Symbols, bits: NDArray[np.uint8], sizes: NDArray[np.int64], entropy: Entropy = "none"
) -> list[NDArray[np.uint8]]:
    """Return the symbols as one block per width, the narrowest first; in a block, sample by sample."""
    flat, samples = symbols.reshape(-1), len(symbols)
    width_of = _spread(bits, sizes, samples)
    return [
        encode_symbols(flat if count == flat.size else flat[width_of == width], width, entropy)
        for width, count in _classes(bits, sizes, samples)
    ]


def entropy_bits_by_width(symbols: Symbols, bits: NDArray[np.uint8], sizes: NDArray[np.int64]) -> float:
    """Return the empirical entropy of the symbols of each width, summed over the widths, in bits."""
    flat, samples = symbols.reshape(-1), len(symbols)
    width_of = _spread(bits, sizes, samples)
    return sum(entropy_bits(flat[width_of == width]) for width, _ in _classes(bits, sizes, samples))


def unpack_by_width(
    sections: Sections,
    bits: NDArray[np.uint8],
    sizes: NDArray[np.int64],
    samples: int,
    entropy: Entropy = "none",
) -> Symbols:
    """Return the symbols ([samples, columns]) of all bands; constant bands have zeros."""
    width_of = _spread(bits, sizes, samples)
    narrow = bits.max() <= 8
    flat: Symbols = np.zeros(width_of.size, np.uint8) if narrow else np.zeros(width_of.size, np.uint16)
    for width, count in _classes(bits, sizes, samples):
        block = decode_symbols(sections, count, width, entropy)
        if count == flat.size:
            flat[:] = block
        else:
            flat[width_of == width] = block
    return flat.reshape(samples, -1)


def _classes(bits: NDArray[np.uint8], sizes: NDArray[np.int64], samples: int) -> list[tuple[int, int]]:
    """Return (width, number of symbols) of every width that occurs, ascending, without 0."""
    counts = np.bincount(bits.reshape(-1), weights=sizes.reshape(-1))
    return [(width, samples * int(count)) for width, count in enumerate(counts) if width and count]


def _spread(bits: NDArray[np.uint8], sizes: NDArray[np.int64], samples: int) -> NDArray[np.uint8]:
    """Return the width of every symbol ([samples * columns])."""
    row = spread(bits, sizes)
    return row if samples == 1 else np.tile(row, samples)
