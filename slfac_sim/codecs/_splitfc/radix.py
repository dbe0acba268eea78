"""Symbols of any number of levels, not only powers of two, packed close to log2(levels) bits each.

As many symbols as fit are the digits of one number below 2^32, which takes only the bits it needs: 20 of 3
levels, or 4 of 200. It knows no codec.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit.floats import Octets
from slfac_sim.codecs.kit.packing import pack_words, unpack_words, words_bytes
from slfac_sim.codecs.kit.wire import Sections


@functools.cache
def digits(levels: int) -> int:
    """Return how many symbols of `levels` (2 to 65,536) go into one number below 2^32."""
    count = 32 // (levels - 1).bit_length()
    while levels ** (count + 1) <= 2**32:
        count += 1
    return count


@functools.lru_cache(maxsize=2**14)
def coded_bytes(count: int, levels: int) -> int:
    """Return the bytes that `count` symbols of `levels` take."""
    together = digits(levels)
    words, rest = divmod(count, together)
    return words_bytes(words, _bits(levels, together)) + words_bytes(int(rest > 0), _bits(levels, rest))


def write(symbols: NDArray[np.integer], levels: int) -> Octets:
    """Return `symbols` ([count], each below `levels`) as `coded_bytes` bytes."""
    together = digits(levels)
    whole = symbols.size // together * together
    powers = np.uint64(levels) ** np.arange(together, dtype=np.uint64)
    wide = symbols.astype(np.uint64)
    words = wide[:whole].reshape(-1, together) @ powers
    rest = wide[whole:]
    last = (rest @ powers[: rest.size]).reshape(-1)[: int(rest.size > 0)]
    ends = pack_words(last, _bits(levels, rest.size))
    return np.concatenate([pack_words(words, _bits(levels, together)), ends])


def read(sections: Sections, count: int, levels: int, what_for: str = "symbols") -> NDArray[np.uint16]:
    """Return the `count` symbols at the front of `sections`. Raises `BadBody`."""
    together = digits(levels)
    words, rest = divmod(count, together)
    parts = [_read_words(sections, words, levels, together, what_for)]
    if rest:
        parts.append(_read_words(sections, 1, levels, rest, what_for))
    return np.concatenate(parts)


def _read_words(
    sections: Sections, words: int, levels: int, together: int, what_for: str
) -> NDArray[np.uint16]:
    bits = _bits(levels, together)
    numbers = unpack_words(sections.take(words_bytes(words, bits), what_for), words, bits).astype(np.uint64)
    if numbers.max(initial=0) >= levels**together:
        raise BadBody(f"body: a number is too large for {together} symbols of {levels} levels")
    powers = np.uint64(levels) ** np.arange(together, dtype=np.uint64)
    symbols: NDArray[np.uint64] = numbers[:, None] // powers % np.uint64(levels)
    return symbols.astype(np.uint16).reshape(-1)


def _bits(levels: int, together: int) -> int:
    return int(levels**together - 1).bit_length()
