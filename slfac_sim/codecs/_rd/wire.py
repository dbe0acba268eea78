"""The bytes of `slfac_rd`: the settings in the frame, and layers, each closed by a checksum of its own.

It knows the layout (docs/wire_format.md) and what is legal in it, not how the figures come about.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody
from slfac_sim.codecs._rd.domains import DOMAINS, Domain
from slfac_sim.codecs.kit.wire import Frame, Sections

Octets = NDArray[np.uint8]

KIND = "slfac_rd"
VALUES_PER_BYTE = 2**13  # of content, at most: bounds what a short body can ask for
_EXPONENTS = (-128, 149)  # of the largest and of the smallest float32
_STEPS = (2.0**-110, 2.0**90)  # times a magnitude and the gain of any transform it stays a float32
_SETTINGS = struct.Struct("<BBhfBbB")
_LENGTH = struct.Struct("<I")
_LAYER_BYTES = 2 * _LENGTH.size


@dataclass(frozen=True)
class Form:
    """What decoding needs: domain, tables, layers, a power of two, step and points, components (0: none).

    `no_negatives` says that no value was below zero: what is rebuilt there becomes zero.
    """

    domain: Domain
    has_levels: bool
    has_rates: bool
    no_negatives: bool
    layers: int
    exponent: int
    step: float
    first: int
    shift: int
    components: int

    def to_bytes(self) -> bytes:
        """Return the eleven bytes of the frame's settings."""
        flags = DOMAINS.index(self.domain) | self.has_levels << 2 | self.has_rates << 3
        flags |= self.no_negatives << 4
        points = self.first, self.shift
        return _SETTINGS.pack(flags, self.layers, self.exponent, self.step, *points, self.components)

    @classmethod
    def from_bytes(cls, settings: bytes) -> "Form":
        """Return the form in `settings`. Raises `BadBody`."""
        if len(settings) != _SETTINGS.size:
            raise BadBody(f"body: {len(settings)} bytes of settings, {KIND} has {_SETTINGS.size}")
        flags, layers, exponent, step, first, shift, components = _SETTINGS.unpack(settings)
        legal = flags < 32 and layers > 0 and _EXPONENTS[0] <= exponent <= _EXPONENTS[1]
        if not (legal and _STEPS[0] <= step <= _STEPS[1]):
            raise BadBody(f"body: settings {settings.hex()} are not those of {KIND}")
        domain, tables = DOMAINS[flags & 3], (bool(flags & 4), bool(flags & 8), bool(flags & 16))
        return cls(domain, *tables, layers, exponent, step, first, shift, components)


def seed(shape: tuple[int, ...], settings: bytes) -> int:
    """Return what the checksums of the layers begin with: it binds them to this shape and settings."""
    return zlib.crc32(settings, zlib.crc32(np.asarray(shape, "<i8").tobytes()))


def layer_head(block: Octets, checksum: int) -> tuple[Octets, Octets, int]:
    """Return the length before a layer's block, the checksum after it, and that checksum as a number."""
    length = _LENGTH.pack(len(block))
    checksum = zlib.crc32(block.data, zlib.crc32(length, checksum))
    return np.frombuffer(length, np.uint8), np.frombuffer(_LENGTH.pack(checksum), np.uint8), checksum


def read_layers(sections: Sections, count: int, checksum: int, partial: bool) -> list[memoryview]:
    """Return the blocks of the layers: `count` of them, or of a cut body the first few.

    Raises `BadBody` unless the content ends where a layer does and every checksum is right.
    """
    blocks: list[memoryview] = []
    while len(blocks) < count and (sections.rest or not blocks or not partial):
        length = bytes(sections.take(_LENGTH.size, "frame"))
        block = sections.take(_LENGTH.unpack(length)[0])
        checksum = zlib.crc32(block, zlib.crc32(length, checksum))
        if _LENGTH.pack(checksum) != bytes(sections.take(_LENGTH.size, "frame")):
            raise BadBody(f"body: the checksum of layer {len(blocks)} is wrong")
        blocks.append(block)
    sections.end(0)
    return blocks


def layer_ends(body_bytes: int, frame: Frame) -> list[int]:
    """Return where a whole body of `body_bytes` bytes may be cut: the ends of its layers, in bytes."""
    at = body_bytes - 4 - len(frame.content)
    sections, ends = Sections(frame.content), []
    while sections.rest:
        size = _LENGTH.unpack(sections.take(_LENGTH.size))[0]
        sections.take(size + _LENGTH.size)
        at += size + _LAYER_BYTES
        ends.append(at)
    return ends
