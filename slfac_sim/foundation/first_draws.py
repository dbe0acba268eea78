"""The first draws of many streams at once, bit for bit those of `stream`, by arrays.

A stream that gives two numbers and is thrown away costs ten times what its numbers do. Philox is arithmetic
on its key (Salmon et al., SC'11, table 2 and section 4.3), and so is the ziggurat of numpy's exponential
draws for 97.8 % of them (Marsaglia and Tsang, J. Stat. Software 5(8), 2000): whatever falls outside its
rectangles is drawn from the stream itself.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.streams import stream

Words = NDArray[np.uint64]

_FACTORS = np.array([[0xD2E7470EE14C6C93], [0xCA5A826395121157]], np.uint64)
_STEPS = np.array([[0xBB67AE8584CAA73B], [0x9E3779B97F4A7C15]], np.uint64)  # of the second and first key
_ROUNDS = 10
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_LAYERS = 256
_MANTISSA = 2.0**53
_SURELY = 1.0 - 1e-9


def first_draws(seed: int, purposes: Sequence[str], indices: Sequence[int]) -> tuple[Floats, Floats]:
    """Return `standard_exponential()` and then `random()` of `stream(seed, purpose, i)`.

    Both are arrays [purposes, indices].
    """
    first, second = _philox(_keys(seed, purposes, indices))
    widths, sure = _ziggurat()
    layer, within = (first >> np.uint64(3)) & np.uint64(_LAYERS - 1), first >> np.uint64(11)
    exponential = (within * widths[layer]).reshape(len(purposes), len(indices))
    uniform = ((second >> np.uint64(11)) * (1.0 / _MANTISSA)).reshape(exponential.shape)
    for i, j in np.argwhere((within >= sure[layer]).reshape(exponential.shape)).tolist():
        rng = stream(seed, purposes[i], indices[j])
        exponential[i, j], uniform[i, j] = rng.standard_exponential(), rng.random()
    return exponential, uniform


def _keys(seed: int, purposes: Sequence[str], indices: Sequence[int]) -> Words:
    """Return the keys [2, purposes x indices], the second half first."""
    digests = []
    ends = [str(index).encode() for index in indices]
    for purpose in purposes:
        begun = blake2b(f"{seed}|{purpose}|".encode(), digest_size=16)
        for end in ends:
            ended = begun.copy()
            ended.update(end)
            digests.append(ended.digest())
    return np.frombuffer(b"".join(digests), "<u8").reshape(-1, 2).T[::-1].astype(np.uint64)


def _philox(keys: Words) -> tuple[Words, Words]:
    """Return the first two words of each stream: Philox4x64-10 of the counter 1, which numpy begins at."""
    even = np.zeros_like(keys)  # words 0 and 2 of the counter
    even[0] = 1
    odd = np.zeros_like(keys)[::-1]  # words 3 and 1
    for _ in range(_ROUNDS):
        high, low = _product(even)
        even = (high ^ odd ^ keys)[::-1]
        odd = low
        keys = keys + _STEPS
    return even[0], odd[1]


def _product(words: Words) -> tuple[Words, Words]:
    """Return the high and the low words of `words` x `_FACTORS`, which have 128 bits."""
    low, high = words & _LOW, words >> _HALF
    factor_low, factor_high = _FACTORS & _LOW, _FACTORS >> _HALF
    middle = high * factor_low + ((low * factor_low) >> _HALF)
    other = low * factor_high + (middle & _LOW)
    return high * factor_high + (middle >> _HALF) + (other >> _HALF), words * _FACTORS


@cache
def _ziggurat() -> tuple[Floats, Floats]:
    """Return the width of a unit of each layer of numpy's ziggurat, and what is surely within it.

    numpy does not give its table away, but a generator that is handed the word 2^60 and a layer does: its
    draw is 2^49 widths. Layer 0 is the widest, the tail's, and 1 the tip, in which nothing is sure; any other
    surely holds what the layer above it reaches.
    """
    bits = np.random.Philox(key=0)
    rng, state = np.random.Generator(bits), bits.state
    widths = np.zeros(_LAYERS)
    for layer in range(_LAYERS):
        state["buffer"], state["buffer_pos"] = np.full(4, 2**60 + 8 * layer, np.uint64), 0
        bits.state = state
        widths[layer] = rng.standard_exponential() / 2.0**49
    sure = _MANTISSA * _SURELY * np.roll(widths, 1) / widths
    sure[1] = 0.0
    return widths, sure
