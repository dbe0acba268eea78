"""SL-FAC's bytes: the settings in the frame and the header of every group, written, and read with care.

It knows the layout (docs/wire_format.md) and what is legal in it, not how the figures come about.
"""

import struct
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody
from slfac_sim.codecs.kit.entropy import ENTROPIES, Entropy
from slfac_sim.codecs.kit.groups import HeaderType
from slfac_sim.codecs.kit.packing import pack, packed_bytes, unpack
from slfac_sim.codecs.kit.wire import Sections

Scope = Literal["plane", "channel"]
Quantiser = Literal["fqc", "powerquant", "easyquant"]

LARGEST = 2.0**96  # largest magnitude taken; decoded values then stay far below the end of float32
EXPONENTS = (-90, 126)  # what an encoder can write: 2^15 / (LARGEST x MAX_SIDE), and the end of float32
_LARGEST_END = 2.0**104  # a coefficient is at most MAX_SIDE times the largest value
_SETTINGS = struct.Struct("<BBb")
_QUANTISERS: tuple[Quantiser, ...] = get_args(Quantiser)
_TYPES: dict[HeaderType, np.dtype[np.floating]] = {"float16": np.dtype("<f2"), "float32": np.dtype("<f4")}


@dataclass(frozen=True)
class Form:
    """What decoding needs of the settings, and the power of two that the message was multiplied by.

    Quantisers other than `fqc` have one width for all bands, at least 2: b_min = b_max.
    """

    scope: Scope
    header_dtype: HeaderType
    b_min: int
    b_max: int
    exponent: int
    entropy: Entropy = "none"
    quantiser: Quantiser = "fqc"

    def to_bytes(self) -> bytes:
        """Return the three bytes of the frame's settings."""
        flags = (self.scope == "channel") | (self.header_dtype == "float32") << 1
        flags |= ENTROPIES.index(self.entropy) << 2 | _QUANTISERS.index(self.quantiser) << 4
        return _SETTINGS.pack(flags, (self.b_min - 1) | (self.b_max - 1) << 4, self.exponent)

    @classmethod
    def from_bytes(cls, settings: bytes) -> "Form":
        """Return the form in `settings`. Raises `BadBody`."""
        if len(settings) != _SETTINGS.size:
            raise BadBody(f"body: {len(settings)} bytes of settings, SL-FAC has {_SETTINGS.size}")
        flags, widths, exponent = _SETTINGS.unpack(settings)
        b_min, b_max = (widths & 15) + 1, (widths >> 4) + 1
        entropy, quantiser = flags >> 2 & 3, flags >> 4
        known = entropy < len(ENTROPIES) and quantiser < len(_QUANTISERS)
        legal = b_min <= b_max if quantiser == 0 else 2 <= b_min == b_max
        if not (known and legal and EXPONENTS[0] <= exponent <= EXPONENTS[1]):
            raise BadBody(f"body: settings {settings.hex()} are not SL-FAC's")
        scope: Scope = "channel" if flags & 1 else "plane"
        header: HeaderType = "float32" if flags & 2 else "float16"
        words = ENTROPIES[entropy], _QUANTISERS[quantiser]
        return cls(scope, header, b_min, b_max, exponent, *words)

    @property
    def end_dtype(self) -> np.dtype[np.floating]:
        """Type of the ends in the header, little-endian."""
        return _TYPES[self.header_dtype]

    @property
    def figures(self) -> int:
        """Figures of a band in the header: its two ends, or what the other quantisers need."""
        return 2 if self.quantiser == "fqc" else 1

    def arrange(self, shape: tuple[int, ...]) -> tuple[int, int, int]:
        """Return (samples of a group, groups, coefficients K) of a message of `shape` [B, C, h, w]."""
        batch, channels, height, width = shape
        samples = batch if self.scope == "channel" else 1
        return samples, batch * channels // samples, height * width


@dataclass(frozen=True)
class Header:
    """Of every group: k* ([groups]), the bits ([groups, 2]) and the ends ([groups, 2 bands, 2 ends]).

    Quantisers other than `fqc` have one figure in place of the ends ([groups, 2 bands, 1]).
    """

    last_low: NDArray[np.int64]
    bits: NDArray[np.uint8]
    ends: NDArray[np.floating]


@dataclass(frozen=True)
class Bands:
    """What a quantiser made of all bands: the ends of the header, the blocks after it, the entropy bound."""

    ends: NDArray[np.floating]
    blocks: list[tuple[str, NDArray[np.uint8]]]
    bound_bits: float


def write_header(header: Header, form: Form, coefficients: int) -> list[NDArray[np.uint8]]:
    """Return k*, then the bits less b_min, each bit-packed, then the ends: three blocks."""
    return [
        pack(header.last_low.astype(np.uint16), index_bits(coefficients)),
        pack((header.bits - np.uint8(form.b_min)).reshape(-1), width_bits(form)),
        np.ascontiguousarray(header.ends, form.end_dtype).reshape(-1).view(np.uint8),
    ]


def read_header(sections: Sections, form: Form, groups: int, coefficients: int) -> Header:
    """Return the header of `groups` groups. Raises `BadBody` where no encoder could have written it."""
    k_bits, b_bits = index_bits(coefficients), width_bits(form)
    k_block = sections.take(packed_bytes(groups, k_bits), "splits")
    b_block = sections.take(packed_bytes(2 * groups, b_bits), "widths")
    end_bytes = 2 * form.figures * groups * form.end_dtype.itemsize
    end_block = sections.take(end_bytes, "ranges")  # now `groups` is known to be honest
    last_low = unpack(k_block, groups, k_bits).astype(np.int64)
    bits = unpack(b_block, 2 * groups, b_bits) + np.uint8(form.b_min)
    ends = np.frombuffer(end_block, form.end_dtype).astype(np.float32).reshape(groups, 2, form.figures)
    if last_low.max() >= coefficients or bits.max() > form.b_max:
        raise BadBody("body: a band's end or width is out of range")
    limit = min(_LARGEST_END * 2.0**form.exponent, float(np.finfo(form.end_dtype).max))
    if not (np.abs(ends).max() <= limit and (ends[..., 0] <= ends[..., -1]).all()):
        raise BadBody("body: a band's minimum and maximum are not finite, ordered and in range")
    return Header(last_low, bits.reshape(groups, 2), ends)


def index_bits(coefficients: int) -> int:
    """Return the bits of one k*: ceil(log2 K)."""
    return (coefficients - 1).bit_length()


def width_bits(form: Form) -> int:
    """Return the bits that tell one width among b_min .. b_max."""
    return (form.b_max - form.b_min).bit_length()
