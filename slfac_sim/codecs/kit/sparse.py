"""Some of each sample's values, and where they stand: what top-k and its random form put into a body.

Every sample keeps the same number of values. Places are a bitmap, or ceil(log2 d) bits each where that is
shorter; values follow in the order of their places. The layout is in docs/wire_format.md.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, Payload, Tensor
from slfac_sim.codecs.kit.floats import Floats, FloatType, Octets, read_floats, rows_of, write_floats
from slfac_sim.codecs.kit.packing import pack, packed_bytes, unpack
from slfac_sim.codecs.kit.wire import Frame, Sections, framed, unseal

"""Of the codecs that keep the largest values."""

Mask = NDArray[np.bool_]

MOST_VALUES_A_KEPT_ONE = 2**16  # bounds what a short body can ask for
_SETTINGS = struct.Struct("<BI")
_TYPES: tuple[FloatType, FloatType] = ("float16", "float32")


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
    settings = _SETTINGS.pack(_TYPES.index(dtype), count)
    blocks = [("indices", write_places(mask, count)), ("symbols", write_floats(kept.reshape(1, -1), dtype))]
    return framed(kind, tensor.shape, settings, blocks, {"kept_fraction": kept.size / tensor.size})


def read_sparse(frame: Frame) -> tuple[Mask, Floats]:
    """Return the mask ([samples, values of one]) and the kept values, in order. Raises `BadBody`."""
    if len(frame.settings) != _SETTINGS.size:
        raise BadBody(f"body: {len(frame.settings)} bytes of settings, expected {_SETTINGS.size}")
    flags, count = _SETTINGS.unpack(frame.settings)
    samples, values = rows_of(frame.shape)
    if flags >= len(_TYPES) or not values <= MOST_VALUES_A_KEPT_ONE * count or count > values:
        raise BadBody(f"body: {count} of {values} values are kept, or a flag is unknown")
    dtype = _TYPES[flags]
    sections = Sections(frame.content)
    exponents, width = (1, 2) if dtype == "float16" else (0, 4)
    floats_bytes = exponents + width * samples * count
    if floats_bytes > len(frame.content):
        raise BadBody(f"body: {len(frame.content)} bytes of content for {samples * count} values")
    mask = read_places(sections, samples, values, count)
    sections.end(floats_bytes)
    return mask, read_floats(sections, 1, samples * count, dtype)[0]


def at_places(body: bytes, kind: str, gradient: Tensor) -> Tensor:
    """Return `gradient` where the message `body` has values, and zeros elsewhere. Raises `BadBody`."""
    mask = read_sparse(unseal(body, kind))[0].reshape(gradient.shape)
    return np.where(mask, gradient, np.float32(0))


def decode_sparse(body: bytes, kind: str) -> Tensor:
    """Return the tensor of `body`: the kept values, and zeros. Raises `BadBody`."""
    frame = unseal(body, kind)
    mask, kept = read_sparse(frame)
    tensor = np.zeros(mask.shape, np.float32)
    tensor[mask] = kept
    return tensor.reshape(frame.shape)


def write_places(mask: Mask, count: int) -> Octets:
    """Return where `mask` ([n, d], `count` in each row) is true: indices or a bitmap, the shorter one."""
    values = mask.shape[1]
    if count in (0, values):
        return np.empty(0, np.uint8)
    bits = _index_bits(values)
    if _as_bitmap(values, count):
        return np.packbits(mask, bitorder="little")
    places = np.nonzero(mask)[1].astype(np.uint32)
    low = pack((places & 0xFFFF).astype(np.uint16), min(bits, 16))
    return np.concatenate([low, pack((places >> 16).astype(np.uint16), max(bits - 16, 0))])


def read_places(sections: Sections, rows: int, values: int, count: int) -> Mask:
    """Return the mask ([rows, values]) of `write_places`. Raises `BadBody`."""
    if count in (0, values):
        return np.full((rows, values), count > 0)
    if _as_bitmap(values, count):
        octets = np.frombuffer(sections.take(packed_bytes(rows * values, 1), "indices"), np.uint8)
        flags = np.unpackbits(octets, count=rows * values, bitorder="little").view(np.bool_)
        mask: Mask = flags.reshape(rows, values)
    else:
        mask = np.zeros((rows, values), np.bool_)
        places = _read_indices(sections, rows * count, _index_bits(values)).reshape(rows, count)
        if places.max() >= values:
            raise BadBody(f"body: an index is not below {values}")
        mask[np.arange(rows)[:, None], places] = True
    if (mask.sum(axis=1) != count).any():
        raise BadBody(f"body: a sample does not keep {count} of its values")
    return mask


def _read_indices(sections: Sections, count: int, bits: int) -> NDArray[np.uint32]:
    low_bits, high_bits = min(bits, 16), max(bits - 16, 0)
    low_octets = sections.take(packed_bytes(count, low_bits), "indices")
    high_octets = sections.take(packed_bytes(count, high_bits), "indices")
    low = unpack(low_octets, count, low_bits).astype(np.uint32)
    high = unpack(high_octets, count, high_bits).astype(np.uint32)
    return low | high << np.uint32(16)


def _index_bits(values: int) -> int:
    return (values - 1).bit_length()


def _as_bitmap(values: int, count: int) -> bool:
    return values <= count * _index_bits(values)
