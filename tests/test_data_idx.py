"""The IDX reader: what it reads, and word for word what it says of damaged files."""

import gzip
import hashlib
import tracemalloc

import numpy as np
import pytest
from data_files import ARRAYS, BODIES, idx_bytes
from hypothesis import given
from hypothesis import strategies as st

from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.idx.format import read_idx

IMAGES, BODY = ARRAYS[0], BODIES[0]  # 6 x 4 x 5


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_reads_plain_and_gzipped_by_content_not_by_name(tmp_path, pack):
    path = tmp_path / "any.name"
    path.write_bytes(pack(BODY))
    array, sha256 = read_idx(path, 3, (6, 4, 5))
    assert np.array_equal(array, IMAGES)
    assert array.dtype == np.uint8
    assert sha256 == hashlib.sha256(BODY).hexdigest()


def header(*shape, start="00000803"):
    return bytes.fromhex(start) + b"".join(length.to_bytes(4, "big") for length in shape)


GZ = gzip.compress(BODY)
FLIPPED = GZ[:-8] + bytes([GZ[-8] ^ 1]) + GZ[-7:]  # one bit of the checksum
BAD_START = "expected 00 00 08 03 (IDX, unsigned bytes, dimensions: 3)"
DAMAGE = [
    ("empty", b"", "found 0 bytes, expected a header of 16"),
    ("only the magic", BODY[:4], "found 4 bytes, expected a header of 16"),
    ("header cut", BODY[:15], "found 15 bytes, expected a header of 16"),
    ("labels for images", BODIES[1], f"begins with 00 00 08 01, {BAD_START}"),
    ("floats", header(6, 4, 5, start="00000d03"), f"begins with 00 00 0d 03, {BAD_START}"),
    ("a web page", b"<!doctype html>", f"begins with 3c 21 64 6f, {BAD_START}"),
    ("one byte", b"<", f"begins with 3c, {BAD_START}"),
    ("other shape", idx_bytes(IMAGES[:5]), "found 5 x 4 x 5 values, expected 6 x 4 x 5"),
    ("truncated", BODY[:-1], "found 119 bytes after the header, expected 120 (6 x 4 x 5)"),
    ("no values", BODY[:16], "found 0 bytes after the header, expected 120 (6 x 4 x 5)"),
    ("too long", BODY + b"x", "found more than 120 bytes after the header, expected 120 (6 x 4 x 5)"),
    ("gzip cut", GZ[: len(GZ) // 2], "the gzip data are cut short or damaged"),
    ("gzip without its end", GZ[:-4], "the gzip data are cut short or damaged"),
    ("gzip header alone", GZ[:2], "the gzip data are cut short or damaged"),
    ("gzip flipped", FLIPPED, "the gzip data are cut short or damaged"),
    ("gzip and rubbish", GZ + b"rubbish", "the gzip data are cut short or damaged"),
    ("gzip of a page", gzip.compress(b"<html>"), f"begins with 3c 68 74 6d, {BAD_START}"),
]


@pytest.mark.parametrize(("body", "expected"), [row[1:] for row in DAMAGE], ids=[row[0] for row in DAMAGE])
def test_damage_is_named_word_for_word(tmp_path, body, expected):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(body)
    with pytest.raises(DataError) as error:
        read_idx(path, 3, (6, 4, 5))
    assert str(error.value) == f"{path}: {expected}"
    assert isinstance(error.value, BadInput)


FREE = [
    ((0, 4, 5), "found 0 x 4 x 5 values, expected 1 to 1073741824"),
    ((2**31, 2**31, 2**31), f"found {2**31} x {2**31} x {2**31} values, expected 1 to 1073741824"),
    ((2**20, 2**10, 1), "found 0 bytes after the header, expected 1073741824 (1048576 x 1024 x 1)"),
]


@pytest.mark.parametrize(("shape", "expected"), FREE)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_header_cannot_make_it_allocate(tmp_path, pack, shape, expected):
    path = tmp_path / "x"
    path.write_bytes(pack(header(*shape)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as error:
            read_idx(path, 3, None)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(error.value) == f"{path}: {expected}"
    assert peak_bytes < 8 << 20


def test_a_gzip_bomb_is_read_only_as_far_as_declared(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(header(1, 4, 5) + bytes(64 << 20)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="found more than 20 bytes"):
            read_idx(path, 3, None)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 8 << 20


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.booleans(), st.data())
def test_any_array_is_read_back_and_any_cut_refused(tmp_path_factory, shape, zipped, data):
    path = tmp_path_factory.getbasetemp() / "any.idx"
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    body = gzip.compress(idx_bytes(array)) if zipped else idx_bytes(array)
    path.write_bytes(body)
    assert np.array_equal(read_idx(path, len(shape), None)[0], array)
    path.write_bytes(body[: data.draw(st.integers(0, len(body) - 1))])
    with pytest.raises(DataError):
        read_idx(path, len(shape), None)


def test_what_the_system_refuses_is_said(tmp_path):
    with pytest.raises(DataError) as error:
        read_idx(tmp_path, 3, None)
    assert str(error.value) == f"{tmp_path}: cannot be read (Is a directory)"
