"""Symbols of any number of levels, not only powers of two, packed close to log2(levels) bits each.

As many symbols as fit are the digits of one number below 2^32, which takes only the bits it needs: 20 of 3
levels, or 4 of 200. It knows no codec.
"""

import functools

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit.packing import pack, packed_bytes, unpack
from slfac_sim.codecs.kit.wire import Sections

Octets = NDArray[np.uint8]


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
    return _word_bytes(words, _bits(levels, together)) + _word_bytes(int(rest > 0), _bits(levels, rest))


def write(symbols: NDArray[np.integer], levels: int) -> Octets:
    """Return `symbols` ([count], each below `levels`) as `coded_bytes` bytes."""
    together = digits(levels)
    whole = symbols.size // together * together
    powers = np.uint64(levels) ** np.arange(together, dtype=np.uint64)
    wide = symbols.astype(np.uint64)
    words = wide[:whole].reshape(-1, together) @ powers
    rest = wide[whole:]
    last = (rest @ powers[: rest.size]).reshape(-1)[: int(rest.size > 0)]
    ends = _pack_words(last, _bits(levels, rest.size))
    return np.concatenate([_pack_words(words, _bits(levels, together)), ends])


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
    low_bits, high_bits = min(bits, 16), max(bits - 16, 0)
    low_octets = sections.take(packed_bytes(words, low_bits), what_for)
    high_octets = sections.take(packed_bytes(words, high_bits), what_for)
    low = unpack(low_octets, words, low_bits).astype(np.uint64)
    high = unpack(high_octets, words, high_bits).astype(np.uint64)
    numbers = low | high << np.uint64(16)
    if numbers.max(initial=0) >= levels**together:
        raise BadBody(f"body: a number is too large for {together} symbols of {levels} levels")
    powers = np.uint64(levels) ** np.arange(together, dtype=np.uint64)
    symbols: NDArray[np.uint64] = numbers[:, None] // powers % np.uint64(levels)
    return symbols.astype(np.uint16).reshape(-1)


def _pack_words(words: NDArray[np.uint64], bits: int) -> Octets:
    low = pack((words & np.uint64(0xFFFF)).astype(np.uint16), min(bits, 16))
    return np.concatenate([low, pack((words >> np.uint64(16)).astype(np.uint16), max(bits - 16, 0))])


def _word_bytes(words: int, bits: int) -> int:
    return packed_bytes(words, min(bits, 16)) + packed_bytes(words, max(bits - 16, 0))


def _bits(levels: int, together: int) -> int:
    return int(levels**together - 1).bit_length()
