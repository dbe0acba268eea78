"""Rows of floats as float32, or as float16 with one power of two per row; it knows no codec.

float16 alone would lose gradients of 1e-6 and overflow above 65504: each row is multiplied by 2^e, so that
its largest magnitude lies just below 2^15, and e travels as one signed byte.

>>> to_halves(np.array([[1e-6, -3e-6]], np.float32))
(array([[ 8.592e+03, -2.578e+04]], dtype=float16), array([33], dtype=int8))
>>> read_floats(Sections(write_floats(np.ones((2, 3), np.float32), "float16").data), 2, 3, "float16")
array([[1., 1., 1.],
       [1., 1., 1.]], dtype=float32)
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit.wire import Sections

FloatType = Literal["float16", "float32"]
FLOAT_TYPES: tuple[FloatType, ...] = get_args(FloatType)  # by the code in a body
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Reals = NDArray[np.float64]
Octets = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LARGEST = float(np.finfo(np.float32).max)
_TOP = 15
_EXPONENTS = (-113, 126)  # a product by 2^e or 2^-e stays a float32


def rows_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (samples, values of one) of a tensor of `shape`; fewer than two dimensions are one sample."""
    if len(shape) < 2:
        return 1, int(np.prod(shape))
    return shape[0], int(np.prod(shape[1:]))


def to_halves(rows: Floats) -> tuple[Halves, NDArray[np.int8]]:
    """Return `rows` ([n, d]) as float16 and the exponent of each row ([n]): rows ~ halves x 2^-e.

    Every value is off by at most 2^-11 of itself, or by 2^-40 of its row's largest magnitude.
    """
    largest = np.maximum(rows.max(axis=1, initial=0.0), -rows.min(axis=1, initial=0.0))
    exponents = np.clip(_TOP - np.frexp(largest)[1], *_EXPONENTS)
    exponents[largest == 0] = 0
    scaled = rows * _powers(exponents)
    return scaled.astype(np.float16), exponents.astype(np.int8)


def from_halves(halves: Halves, exponents: NDArray[np.int8]) -> Floats:
    """Return the rows ([n, d]) of `to_halves`; what float32 cannot hold becomes its largest value."""
    rows = halves.astype(np.float32)
    with np.errstate(over="ignore"):
        rows *= _powers(-exponents.astype(np.int64))
    return np.clip(rows, -LARGEST, LARGEST, out=rows)


def _powers(exponents: NDArray[np.integer]) -> Floats:
    """Return 2^e of every row ([n, 1]); exact by definition, unlike exp2: both ends must agree."""
    powers: Floats = np.ldexp(np.float32(1), exponents)[:, None]
    return powers


def rounded(rows: Floats) -> Floats:
    """Return `rows` as they come out of `to_halves` and `from_halves`."""
    return from_halves(*to_halves(rows))


def write_floats(rows: Floats, dtype: FloatType) -> Octets:
    """Return `rows` ([n, d]) as bytes: the exponents and the float16, or the float32."""
    if dtype == "float32":
        return np.ascontiguousarray(rows, "<f4").reshape(-1).view(np.uint8)
    halves, exponents = to_halves(rows)
    return np.concatenate([exponents.view(np.uint8), halves.astype("<f2").reshape(-1).view(np.uint8)])


def read_floats(
    sections: Sections, rows: int, count: int, dtype: FloatType, what_for: str = "symbols"
) -> Floats:
    """Return the `rows` x `count` floats at the front of `sections`, a new array.

    Raises `BadBody` if there are too few bytes, for exponents out of range, NaN and infinity.
    """
    if dtype == "float32":
        values = np.frombuffer(sections.take(4 * rows * count, what_for), "<f4").astype(np.float32)
        refuse_infinite(values)
        return values.reshape(rows, count)
    return from_halves(*read_halves(sections, rows, count, what_for))


def read_halves(
    sections: Sections, rows: int, count: int, what_for: str = "symbols"
) -> tuple[Halves, NDArray[np.int8]]:
    """Return what `to_halves` gave, from the bytes that `write_floats` made of it. Raises `BadBody`."""
    exponents = np.frombuffer(sections.take(rows, what_for), np.int8)
    if exponents.min(initial=0) < _EXPONENTS[0] or exponents.max(initial=0) > _EXPONENTS[1]:
        raise BadBody("body: the exponent of a row is out of range")
    halves = np.frombuffer(sections.take(2 * rows * count, what_for), "<f2").astype(np.float16)
    refuse_infinite(halves)
    return halves.reshape(rows, count), exponents


def refuse_infinite(values: NDArray[np.floating]) -> None:
    """Raise `BadBody` if one of `values` is NaN or infinite."""
    if not np.isfinite(values).all():
        raise BadBody("body: a value is NaN or infinite")
