"""The entropy stage: exact, close to the empirical entropy, and never more than its bytes allow."""

import tracemalloc

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit.entropy import decode_symbols, encode_symbols, entropy_bits, least_bytes
from slfac_sim.codecs.kit.packing import packed_bytes
from slfac_sim.codecs.kit.wire import Sections

CODERS = ("none", "zstd", "ans")


def laplace(count, bits, width, seed=0):
    """Return symbols that crowd around the middle, as those of a quantiser do."""
    values = np.random.default_rng(seed).laplace(0.5, width, count)
    symbols = np.clip(np.rint(values * (2**bits - 1)), 0, 2**bits - 1)
    return symbols.astype(np.uint8 if bits <= 8 else np.uint16)


def read(block, count, bits, entropy):
    sections = Sections(memoryview(bytes(block)))
    symbols = decode_symbols(sections, count, bits, entropy)
    sections.end(0)
    return symbols


@pytest.mark.parametrize("entropy", CODERS)
@examples(max_examples=25)
@given(
    count=st.integers(0, 3000), bits=st.integers(0, 16), width=st.floats(1e-6, 2.0), seed=st.integers(0, 99)
)
def test_symbols_come_back(entropy, count, bits, width, seed):
    symbols = laplace(count, bits, width, seed)
    block = encode_symbols(symbols, bits, entropy)
    arrived = read(block, count, bits, entropy)
    assert arrived.dtype == symbols.dtype
    assert np.array_equal(arrived, symbols)
    assert least_bytes(count, bits, entropy) <= block.size <= packed_bytes(count, bits) + 12 + 2


def test_none_is_the_packing_alone():
    symbols = laplace(1001, 5, 0.1)
    assert encode_symbols(symbols, 5, "none").size == packed_bytes(1001, 5)


@pytest.mark.parametrize(
    ("bits", "width"), [(1, 0.3), (2, 0.2), (4, 0.02), (4, 0.2), (6, 0.05), (8, 0.01), (8, 0.3)]
)
def test_ans_is_within_a_hundredth_of_the_entropy_and_its_header(bits, width):
    """The header has at most 6 bits a letter, two ends and a length; frequencies cost under 0.005 bits."""
    symbols = laplace(200_000, bits, width)
    bound_bytes = entropy_bits(symbols) / 8
    spent = encode_symbols(symbols, bits, "ans").size
    assert bound_bytes < spent < 1.01 * bound_bytes + 6 * 2**bits / 8 + 12


@pytest.mark.parametrize("bits", [10, 12, 16])
def test_wide_symbols_are_within_a_twentieth_and_a_common_one_is_cheap(bits):
    symbols = laplace(200_000, bits, 0.01)
    symbols[::3] = 0
    assert encode_symbols(symbols, bits, "ans").size < 1.05 * entropy_bits(symbols) / 8 + 600


def test_zstd_pays_on_repetitions_that_a_histogram_does_not_see():
    symbols = np.tile(laplace(500, 4, 0.3), 40)
    sizes = {entropy: encode_symbols(symbols, 4, entropy).size for entropy in CODERS}
    assert sizes["zstd"] < sizes["ans"] / 5


def test_the_bound_by_hand():
    assert entropy_bits(np.array([0, 1, 0, 1], np.uint8)) == pytest.approx(4.0)
    assert entropy_bits(np.array([7, 7, 7], np.uint8)) == 0.0
    assert entropy_bits(np.empty(0, np.uint8)) == 0.0


def test_the_layout_of_an_ans_block_by_hand():
    """Length 10; letters 1 to 3; codes 1, 1 and 19 (frequencies 4, 4 and 80; 6 bits each) ..."""
    symbols = np.array([3] * 80 + [1, 2] * 2, np.uint8)
    block = encode_symbols(symbols, 4, "ans").tobytes()
    assert block[:6] == bytes([len(block) - 4, 0, 0, 0, 1, 3])
    codes = [int.from_bytes(block[6:9], "little") >> 6 * letter & 63 for letter in range(3)]
    frequencies = [(4 + (code - 1) % 4) << (code - 1) // 4 for code in codes]
    assert frequencies[0] == frequencies[1]
    assert frequencies[2] / frequencies[0] == pytest.approx(40, rel=0.2)
    assert (len(block) - 9) % 4 == 0


@pytest.mark.parametrize("entropy", CODERS)
@pytest.mark.parametrize("bits", [3, 8, 12])
def test_missing_and_left_over_bytes_are_refused(entropy, bits):
    symbols = laplace(2000, bits, 0.05)
    block = encode_symbols(symbols, bits, entropy).tobytes()
    for size in (*range(24), *range(len(block) - 12, len(block))):
        with pytest.raises(BadBody):
            read(block[:size], 2000, bits, entropy)
    with pytest.raises(BadBody):
        read(block + b"\0", 2000, bits, entropy)


@pytest.mark.parametrize("entropy", ["zstd", "ans"])
def test_bytes_inside_a_block_are_not_left_over(entropy):
    symbols = laplace(2000, 4, 0.05)
    block = bytearray(encode_symbols(symbols, 4, entropy))
    block[0:4] = (int.from_bytes(block[0:4], "little") + 4).to_bytes(4, "little")
    for spare in (b"\0\0\0\0", b"\1\0\0\0"):
        with pytest.raises(BadBody):
            read(bytes(block) + spare, 2000, 4, entropy)


@pytest.mark.parametrize("entropy", ["zstd", "ans"])
def test_a_short_block_cannot_ask_for_much_memory(entropy):
    """10^7 equal symbols take 2,445 bytes, not ten; a block that says otherwise is refused unread."""
    symbols = np.full(10**7, 5, np.uint8)
    block = encode_symbols(symbols, 8, entropy).tobytes()
    assert len(block) == 4 + 10**7 // 4096
    assert np.array_equal(read(block, 10**7, 8, entropy), symbols)
    tracemalloc.start()
    with pytest.raises(BadBody, match="content ends early"):
        read(block[:100], 10**7, 8, entropy)
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()


def coded(octets):
    return len(octets).to_bytes(4, "little") + octets


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (coded(zstandard.compress(bytes(10**7))), "does not unfold to 4000 bytes"),
        (coded(b"no frame at all"), "not of zstd"),
        (coded(zstandard.compress(b"\x20" + bytes(3999))), "has more than 5 bits"),
    ],
)
def test_zstd_frames_of_another_size_or_with_wide_symbols_are_refused(block, words):
    with pytest.raises(BadBody, match=words):
        read(block, 4000, 5, "zstd")


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"\x03\x02", "letters of a block of symbols are out of range"),
        (b"\x00\x20", "letters of a block of symbols are out of range"),
        (b"\x00\x01\x00\x00" + b"\1\0\0\0", "not of ANS"),
        (b"\x00\x01\x41\x00" + b"\1\0\0", "not of ANS"),
        (b"\x00\x01\x41\x10" + b"\0\0\0\0", "not of ANS"),
        (b"\x00\x01\x41\x10" + b"\1\0\0\0" * 9, "does not end where it should"),
    ],
)
def test_ans_blocks_that_no_encoder_writes_are_refused(octets, words):
    with pytest.raises(BadBody, match=words):
        read(coded(octets), 20, 5, "ans")
