"""Packing of n-bit integers without gaps, 1 to 16 bits each, or as words up to 32 bits.

Little-endian: symbol i of up to 8 bits takes bits [i n, i n + n) of the byte string read as one long
integer. Wider symbols are two runs: all low bytes, then the remaining n - 8 bits of each, packed. Eight
symbols at a time are moved together inside one 64-bit word, in three steps of doubling width.

>>> pack(np.array([1, 2, 3, 7], np.uint8), 3)
array([209,  14], dtype=uint8)
>>> unpack(_, 4, 3)
array([1, 2, 3, 7], dtype=uint8)
>>> words_bytes(4, 20)
10
"""

import functools

import numpy as np
from numpy.typing import NDArray

Symbols = NDArray[np.uint8] | NDArray[np.uint16]
_Step = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]


def packed_bytes(count: int, bits: int) -> int:
    """Return the bytes that `count` symbols of `bits` bits take."""
    return (count * bits + 7) // 8


def pack(symbols: Symbols, bits: int) -> NDArray[np.uint8]:
    """Return `symbols` ([count], each below 2^bits) as `packed_bytes(count, bits)` bytes."""
    if bits == 0:
        return np.empty(0, np.uint8)
    if bits > 8:
        low, high = symbols.astype(np.uint8), (symbols >> 8).astype(np.uint8)
        return np.concatenate([low, pack(high, bits - 8)])
    narrow = symbols.astype(np.uint8, copy=False)
    return narrow if bits == 8 else _pack_narrow(narrow, bits)


def unpack(data: memoryview | bytes | NDArray[np.uint8], count: int, bits: int) -> Symbols:
    """Return the `count` symbols in `data`: uint8 up to 8 bits, uint16 above; the inverse of `pack`.

    `data` must hold exactly `packed_bytes(count, bits)` bytes.
    """
    octets = np.frombuffer(data, np.uint8)
    if bits == 0:
        return np.zeros(count, np.uint8)
    if bits > 8:
        high = unpack(octets[count:], count, bits - 8).astype(np.uint16)
        wide: NDArray[np.uint16] = (high << np.uint16(8)) | octets[:count]
        return wide
    return octets if bits == 8 else _unpack_narrow(octets, count, bits)


def words_bytes(count: int, bits: int) -> int:
    """Return the bytes that `count` words of `bits` bits (0 to 32) take."""
    return packed_bytes(count, min(bits, 16)) + packed_bytes(count, max(bits - 16, 0))


def pack_words(words: NDArray[np.unsignedinteger], bits: int) -> NDArray[np.uint8]:
    """Return `words` ([count], each below 2^bits) as `words_bytes(count, bits)` bytes."""
    low, high = (words & 0xFFFF).astype(np.uint16), (words >> 16).astype(np.uint16)
    return np.concatenate([pack(low, min(bits, 16)), pack(high, max(bits - 16, 0))])


def unpack_words(data: memoryview, count: int, bits: int) -> NDArray[np.uint32]:
    """Return the `count` words in `data`, which must hold exactly `words_bytes(count, bits)` bytes."""
    low_bytes = packed_bytes(count, min(bits, 16))
    low = unpack(data[:low_bytes], count, min(bits, 16)).astype(np.uint32)
    high = unpack(data[low_bytes:], count, max(bits - 16, 0)).astype(np.uint32)
    return low | high << np.uint32(16)


def _pack_narrow(symbols: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    words = np.zeros(-(-symbols.size // 8), "<u8")
    octets = words.view(np.uint8)
    octets[: symbols.size] = symbols
    for stay, move, shift in _steps(bits):
        moved = words >> shift
        moved &= move
        words &= stay
        words |= moved
    out = np.empty((words.size, bits), np.uint8)
    _copy_columns(out, octets.reshape(-1, 8), bits)
    return out.reshape(-1)[: packed_bytes(symbols.size, bits)]


def _unpack_narrow(octets: NDArray[np.uint8], count: int, bits: int) -> NDArray[np.uint8]:
    words = np.zeros(-(-count // 8), "<u8")
    full = octets
    if octets.size < words.size * bits:
        full = np.zeros(words.size * bits, np.uint8)
        full[: octets.size] = octets
    spread = words.view(np.uint8)
    _copy_columns(spread.reshape(-1, 8), full.reshape(-1, bits), bits)
    for stay, move, shift in reversed(_steps(bits)):
        moved = words & move
        moved <<= shift
        words &= stay
        words |= moved
    return spread[:count]


def _copy_columns(target: NDArray[np.uint8], source: NDArray[np.uint8], columns: int) -> None:
    """Copy the first columns one by one: numpy is slow at copying very short rows."""
    for column in range(columns):
        target[:, column] = source[:, column]


@functools.cache
def _steps(bits: int) -> tuple[_Step, ...]:
    """Return, for fields of 8, 16 and 32 bits, what stays, what moves (after its move), and how far.

    A field holds `held` useful bits; the upper one of each pair moves down next to the lower.
    """
    steps = []
    for field, held in ((8, bits), (16, 2 * bits), (32, 4 * bits)):
        stay = sum(((1 << held) - 1) << place for place in range(0, 64, 2 * field))
        steps.append((_word(stay), _word(stay << held), _word(field - held)))
    return tuple(steps)


def _word(number: int) -> NDArray[np.uint64]:
    """Return `number` as an array without dimensions, which numpy is quicker at than at a scalar."""
    return np.array(number, np.uint64)
