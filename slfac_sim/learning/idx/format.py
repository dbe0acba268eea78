"""Reads one IDX file, plain or gzipped, and trusts nothing in it; it does not know which data set it is of.

The format: two zero bytes, a type (08: unsigned bytes), the number of dimensions, each dimension as a
big-endian 32-bit integer, then the values, last dimension fastest
(http://yann.lecun.com/exdb/mnist/, "The IDX file format").
"""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from slfac_sim.learning.datasets import DataError

_GZIP = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20
_LARGEST_BYTES = 1 << 30


def read_idx(path: Path, dimensions: int, shape: tuple[int, ...] | None) -> tuple[NDArray[np.uint8], str]:
    """Return the array in `path` and the SHA-256 (hex) of its decompressed bytes.

    The file must hold unsigned bytes in so many `dimensions`, of exactly `shape` if one is given, and
    nothing after them. At most the declared size is read and kept, never over 1 GiB. Raises `DataError`
    that names the file, what was found and what was expected.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(2)
            file.seek(0)
            if begins != _GZIP:
                return _read(path, file, dimensions, shape)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(path, unpacked, dimensions, shape)  # type: ignore[arg-type]
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise DataError(f"{path}: the gzip data are cut short or damaged") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None


def _read(
    path: Path, file: BinaryIO, dimensions: int, shape: tuple[int, ...] | None
) -> tuple[NDArray[np.uint8], str]:
    header = _read_header(path, file, dimensions)
    shape_read = struct.unpack(f">{dimensions}I", header[4:])
    _check_shape(path, shape_read, shape)
    size = math.prod(shape_read)
    values = _read_at_most(file, size + 1)
    if len(values) != size:
        amount = f"{len(values)} bytes" if len(values) < size else f"more than {size} bytes"
        raise DataError(f"{path}: found {amount} after the header, expected {size} ({_times(shape_read)})")
    digest = hashlib.sha256(header)
    digest.update(values)
    return np.frombuffer(values, dtype=np.uint8).reshape(shape_read), digest.hexdigest()


def _read_header(path: Path, file: BinaryIO, dimensions: int) -> bytes:
    length = 4 + 4 * dimensions
    header = file.read(length)
    expected = bytes([0, 0, 8, dimensions])
    if header[:4] != expected[: len(header)]:
        raise DataError(
            f"{path}: begins with {header[:4].hex(' ')}, expected {expected.hex(' ')}"
            f" (IDX, unsigned bytes, dimensions: {dimensions})"
        )
    if len(header) < length:
        raise DataError(f"{path}: found {len(header)} bytes, expected a header of {length}")
    return header


def _check_shape(path: Path, found: tuple[int, ...], expected: tuple[int, ...] | None) -> None:
    if expected is not None and found != expected:
        raise DataError(f"{path}: found {_times(found)} values, expected {_times(expected)}")
    if not 0 < math.prod(found) <= _LARGEST_BYTES:
        raise DataError(f"{path}: found {_times(found)} values, expected 1 to {_LARGEST_BYTES}")


def _read_at_most(file: BinaryIO, size: int) -> bytearray:
    values = bytearray()
    while len(values) < size:
        chunk = file.read(min(_CHUNK_BYTES, size - len(values)))
        if not chunk:
            break
        values += chunk
    return values


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(length) for length in shape)
