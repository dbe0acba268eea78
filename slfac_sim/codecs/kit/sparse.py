"""Some of each sample's values, and where they stand: what top-k and its random form put into a body.

Every sample keeps the same number of values. Places are a bitmap, or ceil(log2 d) bits each where that is
shorter; values follow in the order of their places. The layout is in docs/wire_format.md.

>>> import numpy as np
>>> mask = largest(np.array([[1, 4, 2, 3]], np.float32), 2)
>>> mask
array([[False,  True, False,  True]])
>>> write_places(mask, 2)
array([10], dtype=uint8)
"""

import struct
from typing import ClassVar

import numpy as np

from slfac_sim.codecs import Backward, BadBody, Payload, Tensor
from slfac_sim.codecs.kit.floats import (
    FLOAT_TYPES,
    Floats,
    FloatType,
    Mask,
    Octets,
    read_floats,
    rows_of,
    write_floats,
)
from slfac_sim.codecs.kit.packing import pack_words, packed_bytes, unpack_words, words_bytes
from slfac_sim.codecs.kit.stateless import Stateless
from slfac_sim.codecs.kit.wire import Frame, Sections, framed, unseal
from slfac_sim.foundation.plugins import kind_of

MOST_VALUES_A_KEPT_ONE = 2**16  # bounds what a short body can ask for
_SETTINGS = struct.Struct("<BI")


class Sparse(Stateless):
    """What a codec inherits that sends some values of each sample with `write_sparse`."""

    partner: ClassVar[str | None] = "on_support"
    backward: ClassVar[Backward] = "linear"
    references: ClassVar[tuple[str, ...]] = ("zheng2023topk",)

    rate: float
    """Part of a sample's d values that is sent: k = round(rate d), at least one. Others arrive as zeros."""
    values: FloatType
    """Type of the values that are sent."""

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`: the kept values, and zeros. Raises `BadBody`."""
        frame = unseal(body, kind_of(self))
        mask, kept = read_sparse(frame)
        tensor = np.zeros(mask.shape, np.float32)
        tensor[mask] = kept
        return tensor.reshape(frame.shape)

    @staticmethod
    def support(body: bytes) -> Mask:
        """Return which values `body` carries ([samples, values of one]). Raises `BadBody`."""
        return read_sparse(unseal(body))[0]


def kept_count(rate: float, values: int) -> int:
    """Return k = round(rate d), at least one, and one for every 65,536 values."""
    return min(values, max(1, round(rate * values), -(-values // MOST_VALUES_A_KEPT_ONE)))


def largest(scores: Floats, count: int) -> Mask:
    """Return where the `count` largest of each row of `scores` ([n, d]) stand; ties go to the first."""
    values = scores.shape[1]
    if count == values:
        return np.ones(scores.shape, np.bool_)
    least = np.partition(scores, values - count, axis=1)[:, values - count, None]
    mask = scores >= least
    crowded = np.flatnonzero(mask.sum(axis=1) > count)
    if crowded.size:
        equal = scores[crowded] == least[crowded]
        room = count - (mask[crowded] & ~equal).sum(axis=1, keepdims=True)
        mask[crowded] &= ~equal | (np.cumsum(equal, axis=1) <= room)
    return mask


def write_sparse(kind: str, tensor: Tensor, mask: Mask, dtype: FloatType) -> Payload:
    """Return the payload of the values of `tensor` at `mask` ([samples, values of one], rows alike)."""
    kept = np.ascontiguousarray(tensor).reshape(mask.shape)[mask]
    count = kept.size // len(mask)
    settings = _SETTINGS.pack(FLOAT_TYPES.index(dtype), count)
    blocks = [("indices", write_places(mask, count)), ("symbols", write_floats(kept.reshape(1, -1), dtype))]
    return framed(kind, tensor.shape, settings, blocks, {"kept_fraction": kept.size / tensor.size})


def read_sparse(frame: Frame) -> tuple[Mask, Floats]:
    """Return the mask ([samples, values of one]) and the kept values, in order. Raises `BadBody`."""
    flags, count = frame.unpacked(_SETTINGS)
    samples, values = rows_of(frame.shape)
    if flags >= len(FLOAT_TYPES) or not values <= MOST_VALUES_A_KEPT_ONE * count or count > values:
        raise BadBody(f"body: {count} of {values} values are kept, or a flag is unknown")
    dtype = FLOAT_TYPES[flags]
    sections = Sections(frame.content)
    exponents, width = (1, 2) if dtype == "float16" else (0, 4)
    floats_bytes = exponents + width * samples * count
    if floats_bytes > len(frame.content):
        raise BadBody(f"body: {len(frame.content)} bytes of content for {samples * count} values")
    mask = read_places(sections, samples, values, count)
    sections.end(floats_bytes)
    return mask, read_floats(sections, 1, samples * count, dtype)[0]


def at_places(body: bytes, gradient: Tensor) -> Tensor:
    """Return `gradient` where the message `body` has values, and zeros elsewhere. Raises `BadBody`."""
    return np.where(read_sparse(unseal(body))[0].reshape(gradient.shape), gradient, np.float32(0))


def write_places(mask: Mask, count: int) -> Octets:
    """Return where `mask` ([n, d], `count` in each row) is true: indices or a bitmap, the shorter one."""
    values = mask.shape[1]
    if count in (0, values):
        return np.empty(0, np.uint8)
    if _as_bitmap(values, count):
        return np.packbits(mask, bitorder="little")
    return pack_words(np.nonzero(mask)[1].astype(np.uint32), _index_bits(values))


def read_places(sections: Sections, rows: int, values: int, count: int) -> Mask:
    """Return the mask ([rows, values]) of `write_places`. Raises `BadBody`."""
    if count in (0, values):
        return np.full((rows, values), count > 0)
    if _as_bitmap(values, count):
        mask = read_bitmap(sections, rows * values, "indices").reshape(rows, values)
    else:
        mask = np.zeros((rows, values), np.bool_)
        total, bits = rows * count, _index_bits(values)
        places = unpack_words(sections.take(words_bytes(total, bits), "indices"), total, bits)
        if places.max() >= values:
            raise BadBody(f"body: an index is not below {values}")
        mask[np.arange(rows)[:, None], places.reshape(rows, count)] = True
    if (mask.sum(axis=1) != count).any():
        raise BadBody(f"body: a sample does not keep {count} of its values")
    return mask


def read_bitmap(sections: Sections, count: int, what_for: str) -> Mask:
    """Return the `count` truth values at the front of `sections`, one bit each, the lowest first."""
    octets = np.frombuffer(sections.take(packed_bytes(count, 1), what_for), np.uint8)
    return np.unpackbits(octets, count=count, bitorder="little").view(np.bool_)


def _index_bits(values: int) -> int:
    return (values - 1).bit_length()


def _as_bitmap(values: int, count: int) -> bool:
    return values <= count * _index_bits(values)
