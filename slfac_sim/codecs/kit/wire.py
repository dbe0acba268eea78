"""The frame around every body: what it is, who made it, of which shape, and a checksum.

It knows no codec: what the settings and the content mean is the business of the one it names. The
layout is written down in docs/wire_format.md; everything is little-endian.

>>> payload = framed("mine", (2, 3), bytes([8]), [("symbols", np.arange(6, dtype=np.uint8))])
>>> payload.nbytes, payload.values, dict(payload.parts)
(23, 6, {'frame': 17, 'symbols': 6})
>>> frame = unseal(payload.body, "mine")
>>> frame.shape, list(frame.settings), list(Sections(frame.content).take(2))
((2, 3), [8], [0, 1])
"""

import math
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, Payload

MAGIC = b"\x5f\xac"
VERSION = 1
FLOAT32 = 0  # codecs take and give float32 only; other types are those of the ends around them (`bodies`)
TYPES = 3  # float32, float16, bfloat16: the code has four bits
MAX_DIMENSIONS = 8
MAX_VALUES = 2**27  # 512 MiB of float32: a body that claims more is refused unread
_START = struct.Struct("<2sBBB")
_FORM = 3  # where type and number of dimensions stand
_CHECKSUM = struct.Struct("<I")
_VARINT_BYTES = 5


@dataclass(frozen=True)
class Frame:
    """A body whose checksum and outer form are right: the codec's name, the shape, and two byte strings.

    `type_code` is of the values that were given to the sender; it does not change what the codec does.
    """

    kind: str
    shape: tuple[int, ...]
    settings: bytes
    content: memoryview
    type_code: int = FLOAT32

    def unpacked(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Return the settings, as `layout` packed them. Raises `BadBody` for a different number of bytes."""
        if len(self.settings) != layout.size:
            raise BadBody(f"body: {len(self.settings)} bytes of settings, expected {layout.size}")
        return layout.unpack(self.settings)

    def foreign_settings(self) -> BadBody:
        """Return the error for settings that no encoder writes."""
        return BadBody(f"body: settings {self.settings.hex()} are not those of {self.kind}")


_TAKEN: ContextVar[dict[str, int] | None] = ContextVar("taken", default=None)


@contextmanager
def byte_ledger() -> Iterator[dict[str, int]]:
    """Yield what fills up, while bodies are decoded within, with their bytes by what these are for.

    It is how `codec inspect` learns of a body's parts from its bytes alone; decoders change nothing for it.
    """
    taken: dict[str, int] = {}
    token = _TAKEN.set(taken)
    try:
        yield taken
    finally:
        _TAKEN.reset(token)


def tell(what_for: str, size_bytes: int) -> None:
    """Tell `byte_ledger`, if somebody keeps it, that `size_bytes` bytes more are for `what_for`."""
    taken = _TAKEN.get()
    if what_for and taken is not None:
        taken[what_for] = taken.get(what_for, 0) + size_bytes


class Sections:
    """The content of a frame, taken from front to back; never reads beyond its end."""

    def __init__(self, content: memoryview) -> None:
        self.rest = content

    def take(self, size_bytes: int, what_for: str = "") -> memoryview:
        """Return the next `size_bytes` bytes. Raises `BadBody` if there are fewer.

        `what_for` is the part of the payload that they are, told to `byte_ledger`.
        """
        if size_bytes > len(self.rest):
            raise BadBody(f"body: content ends early ({size_bytes} bytes wanted, {len(self.rest)} left)")
        section, self.rest = self.rest[:size_bytes], self.rest[size_bytes:]
        tell(what_for, size_bytes)
        return section

    def end(self, size_bytes: int) -> None:
        """Raise `BadBody` unless exactly `size_bytes` bytes are left."""
        if size_bytes != len(self.rest):
            raise BadBody(f"body: content needs {size_bytes} more bytes, {len(self.rest)} are left")


def seal(kind: str, shape: Sequence[int], settings: bytes, content: Sequence[NDArray[np.uint8]]) -> bytes:
    """Return the body of codec `kind` for float32 values of `shape`: header, `content` in order, CRC-32."""
    name = kind.encode("ascii")
    start = _START.pack(MAGIC, VERSION, FLOAT32 << 4 | len(shape), len(name))
    sizes = b"".join(_varint(size) for size in shape)
    body = b"".join([start, name, sizes, bytes([len(settings)]), settings, *(part.data for part in content)])
    return body + _CHECKSUM.pack(zlib.crc32(body))


def framed(
    kind: str,
    shape: Sequence[int],
    settings: bytes,
    blocks: Sequence[tuple[str, NDArray[np.uint8]]],
    notes: Mapping[str, float] | None = None,
) -> Payload:
    """Return the payload of codec `kind`: the `blocks` (what for, bytes) in order, in one frame.

    Its parts are the frame and the blocks, those with one name together.
    """
    body = seal(kind, shape, settings, [block for _, block in blocks])
    parts = {"frame": len(body) - sum(block.nbytes for _, block in blocks)}
    for name, block in blocks:
        parts[name] = parts.get(name, 0) + block.nbytes
    return Payload(body, math.prod(shape), notes or {}, parts)


def unseal(body: bytes, kind: str | None = None) -> Frame:
    """Return the frame in `body`, which must be of codec `kind` (None: of any).

    Raises `BadBody` for anything else: damaged, cut, lengthened, foreign, of another version, or of a
    shape of more than `MAX_VALUES` values. Allocates nothing that grows with the shape.
    """
    whole = memoryview(body)
    if len(whole) < _START.size + 1 + _CHECKSUM.size:
        raise BadBody(f"body: {len(whole)} bytes are too few for a frame")
    magic, version, form, name_bytes = _START.unpack_from(whole)
    if magic != MAGIC:
        raise BadBody(f"body: begins with {bytes(magic).hex()}, a frame with {MAGIC.hex()}")
    if version != VERSION:
        raise BadBody(f"body: version {version} is unknown (this is version {VERSION})")
    inner, checksum = whole[: -_CHECKSUM.size], _CHECKSUM.unpack(whole[-_CHECKSUM.size :])[0]
    if zlib.crc32(inner) != checksum:
        raise BadBody("body: the checksum is wrong; it is damaged, cut or lengthened")
    frame = _read_header(Sections(inner[_START.size :]), form, name_bytes)
    if kind is not None and frame.kind != kind:
        raise BadBody(f"body: made by codec {frame.kind!r}, expected {kind!r}")
    return frame


def _read_header(sections: Sections, form: int, name_bytes: int) -> Frame:
    name = bytes(sections.take(name_bytes))
    if form >> 4 >= TYPES or form & 15 > MAX_DIMENSIONS:
        raise BadBody(f"body: type {form >> 4} with {form & 15} dimensions is unknown")
    shape = tuple(_read_varint(sections) for _ in range(form & 15))
    if not 0 < math.prod(shape) <= MAX_VALUES:
        raise BadBody(f"body: shape {list(shape)} is empty or of more than {MAX_VALUES} values")
    settings = bytes(sections.take(sections.take(1)[0]))
    if not (name.isascii() and name.decode("ascii").isprintable()):
        raise BadBody("body: the codec's name is not a word")
    return Frame(name.decode("ascii"), shape, settings, sections.rest, form >> 4)


def type_code(body: bytes) -> int:
    """Return which type of values the frame `body`, which has been unsealed, was made of."""
    return body[_FORM] >> 4


def retyped(body: bytes, code: int) -> bytes:
    """Return the frame `body` of float32 values as one of values of type `code`; of the same length."""
    if code == FLOAT32:
        return body
    inner = bytearray(body[: -_CHECKSUM.size])
    inner[_FORM] |= code << 4
    return bytes(inner) + _CHECKSUM.pack(zlib.crc32(inner))


def _varint(number: int) -> bytes:
    low, high = number & 127, number >> 7
    return bytes([low]) if high == 0 else bytes([low | 128]) + _varint(high)


def _read_varint(sections: Sections) -> int:
    number = 0
    for place in range(_VARINT_BYTES):
        byte = sections.take(1)[0]
        number |= (byte & 127) << 7 * place
        if byte < 128:
            return number
    raise BadBody(f"body: a size of the shape takes more than {_VARINT_BYTES} bytes")
