"""Packing against one long integer, and against its own inverse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slfac_sim.codecs.kit.packing import pack, packed_bytes, unpack


def as_long_integer(symbols, bits):
    total = sum(int(symbol) << index * bits for index, symbol in enumerate(symbols))
    return total.to_bytes(packed_bytes(len(symbols), bits), "little")


@st.composite
def runs(draw, most_bits=16):
    bits = draw(st.integers(1, most_bits))
    symbols = draw(st.lists(st.integers(0, 2**bits - 1), max_size=70))
    return np.array(symbols, np.uint8 if bits <= 8 else np.uint16), bits


@given(runs(most_bits=8))
def test_up_to_eight_bits_are_one_little_endian_integer(run):
    symbols, bits = run
    assert pack(symbols, bits).tobytes() == as_long_integer(symbols, bits)


@given(runs())
def test_unpack_is_the_inverse_and_the_size_is_the_closed_form(run):
    symbols, bits = run
    packed = pack(symbols, bits)
    assert packed.size == packed_bytes(symbols.size, bits) == -(-symbols.size * bits // 8)
    assert np.array_equal(unpack(packed.tobytes(), symbols.size, bits), symbols)


def test_wide_symbols_are_low_bytes_and_then_the_rest():
    assert pack(np.array([0x3A1, 0x2FF], np.uint16), 10).tobytes().hex() == "a1ff0b"


@pytest.mark.parametrize("bits", [1, 3, 7, 8, 11, 16])
def test_a_long_run_comes_back(bits):
    symbols = np.random.default_rng(bits).integers(0, 2**bits, 10_001).astype(np.uint16)
    assert np.array_equal(unpack(pack(symbols, bits), symbols.size, bits), symbols)


def test_the_input_stays_as_it_was():
    symbols = np.arange(16, dtype=np.uint8)
    pack(symbols, 4)
    assert np.array_equal(symbols, np.arange(16))
