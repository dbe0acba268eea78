"""The transform against scipy, and the zig-zag against JPEG's table and a walk along the diagonals."""

import numpy as np
import pytest
from codec_oracles import zigzag_walk
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dctn

from slfac_sim.codecs.kit.dct import forward, inverse, zigzag

JPEG_8X8 = """
 0  1  8 16  9  2  3 10 17 24 32 25 18 11  4  5 12 19 26 33 40 48 41 34 27 20 13  6  7 14 21 28
35 42 49 56 57 50 43 36 29 22 15 23 30 37 44 51 58 59 52 45 38 31 39 46 53 60 61 54 47 55 62 63
"""


def test_zigzag_of_8x8_is_the_jpeg_table():
    assert zigzag(8, 8).tolist() == [int(word) for word in JPEG_8X8.split()]


@given(st.integers(1, 20), st.integers(1, 20))
def test_zigzag_walks_every_diagonal_once(height, width):
    assert zigzag(height, width).tolist() == zigzag_walk(height, width)


@pytest.mark.parametrize(
    "shape",
    [(1, 1, 1), (3, 1, 9), (3, 9, 1), (200, 7, 7), (5, 7, 4), (41, 10, 10), (3, 14, 14), (2, 112, 90)],
)
def test_forward_agrees_with_scipy_and_keeps_the_energy(shape):
    maps = np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
    expected = dctn(maps.astype(np.float64), axes=(1, 2), norm="ortho").reshape(shape[0], -1)
    found = forward(maps)
    assert found.dtype == np.float32
    assert np.abs(found - expected[:, zigzag_walk(*shape[1:])]).max() < 5e-6
    assert np.sum(found.astype(float) ** 2) == pytest.approx(np.sum(maps.astype(float) ** 2), rel=1e-6)
    assert np.abs(inverse(found, *shape[1:]) - maps).max() < 5e-6
