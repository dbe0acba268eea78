"""The entropy stage: symbols of a quantiser to bytes and back, by packing, by zstd or by ANS.

It knows no codec and no tensor. `none` packs every symbol in its width. `zstd` compresses the bytes of
the symbols (Zstandard, RFC 8878). `ans` is an asymmetric numeral system (Duda, 2013, arXiv:1311.2540; the
coder is constriction's) with one static histogram, whose frequencies are in the block: integers of three
significant bits, so that both ends build the same model. Layout and limits: docs/wire_format.md.

>>> symbols = (np.arange(1000) % 10 == 0).astype(np.uint8)
>>> [len(encode_symbols(symbols, 2, entropy)) for entropy in ENTROPIES], round(entropy_bits(symbols) / 8)
([250, 25, 72], 59)
>>> decode_symbols(Sections(encode_symbols(symbols, 2, "ans").data), 1000, 2, "ans")[:3]
array([1, 0, 0], dtype=uint8)
"""

from abc import abstractmethod
from typing import ClassVar, Literal, get_args

import constriction
import numpy as np
import zstandard
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, Codec
from slfac_sim.codecs.kit.floats import Octets
from slfac_sim.codecs.kit.packing import Symbols, pack, packed_bytes, unpack
from slfac_sim.codecs.kit.wire import Sections

Entropy = Literal["none", "zstd", "ans"]
ENTROPIES: tuple[Entropy, ...] = get_args(Entropy)  # by the code in a body

_SYMBOLS_PER_BYTE = 4096  # a coded block is at least so long: bounds what a short body can ask for
_ALPHABET_BITS = 8  # of ANS: wider symbols are coded in two steps
_CODE_BITS = 6  # of one frequency
_CODES = np.arange(1, 1 << _CODE_BITS)
_FREQUENCIES = np.concatenate([[0], (4 + (_CODES - 1) % 4) << (_CODES - 1) // 4])
_COUNT_BYTES = 4
_LEVEL = 1  # higher ones were slower and no smaller on quantised activations


class Coded(Codec):
    """A codec whose symbols pass an entropy stage.

    Subclasses have `entropy` and `bits` among their settings, or say how many bits a symbol has.
    """

    values_per_symbol: ClassVar[int] = 1

    @property
    @abstractmethod
    def entropy(self) -> Entropy:
        """How symbols become bytes: packed in their width (`none`), by Zstandard (`zstd`), or by their
        frequencies (`ans`). It changes bytes and computing, no value; a coder that does not pay is left out.
        """

    @property
    @abstractmethod
    def bits(self) -> int:
        """Bits of a symbol, 0 to 16; where they differ, about their mean."""

    @property
    @abstractmethod
    def own_flops(self) -> tuple[float, float]:
        """Equivalent FLOPs to encode and to decode one value, without the entropy stage."""

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        return self.own_flops[0] + encode_flops(self.entropy, self.bits) / self.values_per_symbol

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return self.own_flops[1] + decode_flops(self.entropy, self.bits) / self.values_per_symbol

    def named(self, *words: str) -> str:
        """Return a label of those of `words` that are not empty, and of the entropy stage if there is one."""
        return ", ".join(filter(None, (*words, self.entropy if self.entropy != "none" else "")))


def encode_symbols(symbols: Symbols, bits: int, entropy: Entropy) -> Octets:
    """Return `symbols` ([count], each below 2^bits, bits 0 to 16) as bytes.

    Where a coder does not pay, it is left out: four bytes, then the block of `none`.
    """
    if entropy == "ans" and bits > _ALPHABET_BITS:
        return np.concatenate([encode_symbols(part, width, "ans") for part, width in _parts(symbols, bits)])
    packed_size = packed_bytes(symbols.size, bits)
    if entropy == "none" or packed_size == 0:
        return pack(symbols, bits)
    coded = _zstd(symbols, bits) if entropy == "zstd" else _ans(symbols)
    least = symbols.size // _SYMBOLS_PER_BYTE
    if max(coded.size, least) >= packed_size:
        return np.concatenate([_length(0), pack(symbols, bits)])
    padding = np.zeros(max(0, least - coded.size), np.uint8)
    return np.concatenate([_length(coded.size), coded, padding])


def decode_symbols(
    sections: Sections, count: int, bits: int, entropy: Entropy, what_for: str = "symbols"
) -> Symbols:
    """Return the `count` symbols of `encode_symbols`, taken from the front of `sections`.

    uint8 up to 8 bits, uint16 above; `what_for` is the part of the payload that they are. Raises `BadBody`
    for bytes that are missing, left over inside the block, or no code; allocates at most what
    `_SYMBOLS_PER_BYTE` allows for the bytes that are there.
    """
    if entropy == "ans" and bits > _ALPHABET_BITS:
        return _joined(sections, count, bits, what_for)
    packed_size = packed_bytes(count, bits)
    if entropy == "none" or packed_size == 0:
        return unpack(sections.take(packed_size, what_for), count, bits)
    coded_size = int.from_bytes(sections.take(_COUNT_BYTES, what_for), "little")
    if coded_size == 0:
        return unpack(sections.take(packed_size, what_for), count, bits)
    block = sections.take(max(coded_size, count // _SYMBOLS_PER_BYTE), what_for)
    if any(block[coded_size:]):
        raise BadBody("body: the padding of a block of symbols is not zero")
    if entropy == "zstd":
        return _unzstd(block[:coded_size], count, bits)
    return _unans(Sections(block[:coded_size]), count, bits)


def entropy_bits(symbols: Symbols) -> float:
    """Return the empirical entropy of `symbols` in bits, all together: count x H of their histogram.

    What no coder that takes symbols one by one, without context, can beat by more than its luck.
    """
    counts = np.bincount(symbols)
    counts = counts[counts > 0]
    return float(-(counts * np.log2(counts / symbols.size)).sum()) + 0.0


def encode_flops(entropy: Entropy, bits: int) -> float:
    """Return the equivalent FLOPs of coding one symbol of `bits` bits, the entropy bound included.

    Wide symbols take ANS two steps.
    """
    wide = bits > _ALPHABET_BITS
    return {"none": 0.0, "zstd": 400.0 if wide else 220.0, "ans": 1900.0 if wide else 680.0}[entropy]


def decode_flops(entropy: Entropy, bits: int) -> float:
    """Return the equivalent FLOPs of decoding one symbol of `bits` bits.

    ANS takes the longer the more letters there are, as it searches them.
    """
    wide = bits > _ALPHABET_BITS
    ans = 4000.0 if wide else 255.0 + 215.0 * bits
    return {"none": 0.0, "zstd": 170.0 if wide else 90.0, "ans": ans}[entropy]


def least_bytes(count: int, bits: int, entropy: Entropy) -> int:
    """Return the fewest bytes that `count` symbols can take: what a decoder may check before it allocates."""
    return packed_bytes(count, bits) if entropy == "none" else count // _SYMBOLS_PER_BYTE


def _length(size_bytes: int) -> Octets:
    return np.frombuffer(size_bytes.to_bytes(_COUNT_BYTES, "little"), np.uint8)


def _zstd(symbols: Symbols, bits: int) -> Octets:
    """Return the zstd frame of the symbols, packed so that none lies across two bytes.

    Up to 4 bits several share a byte, which lets the coder spend less than one bit on a symbol.
    """
    low = pack(symbols.astype(np.uint8), _whole_width(bits))
    octets = low if bits <= 8 else np.concatenate([low, (symbols >> 8).astype(np.uint8)])
    return np.frombuffer(zstandard.ZstdCompressor(level=_LEVEL).compress(octets.data), np.uint8)


def _whole_width(bits: int) -> int:
    """Return the least of 1, 2, 4 and 8 that holds `bits` bits; 8 for the low bytes of wider symbols."""
    return next(width for width in (1, 2, 4, 8) if width >= min(bits, 8))


def _unzstd(coded: memoryview, count: int, bits: int) -> Symbols:
    low_bytes = packed_bytes(count, _whole_width(bits))
    size = low_bytes + (count if bits > 8 else 0)
    try:
        if zstandard.frame_content_size(coded) != size:  # known before anything is allocated
            raise BadBody(f"body: a block of symbols does not unfold to {size} bytes")
        plain = zstandard.ZstdDecompressor().decompress(coded, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise BadBody("body: a block of symbols is not of zstd") from error
    octets = np.frombuffer(plain, np.uint8)
    symbols = unpack(octets[:low_bytes], count, _whole_width(bits))
    if bits > 8:
        symbols = symbols | octets[low_bytes:].astype(np.uint16) << np.uint16(8)
    if int(symbols.max()) >> bits:
        raise BadBody(f"body: a symbol has more than {bits} bits")
    return symbols


def _parts(symbols: Symbols, bits: int) -> list[tuple[Symbols, int]]:
    """Return the upper 8 bits of wide symbols; the lower ones where the upper are the commonest; the others.

    So a frequent value, such as zero, is cheap although its neighbours are rare.
    """
    spare = bits - _ALPHABET_BITS
    high = (symbols >> spare).astype(np.uint8)
    low = (symbols & np.asarray((1 << spare) - 1, symbols.dtype)).astype(np.uint8)
    common = _commonest(high)
    return [(high, _ALPHABET_BITS), (low[common], spare), (low[~common], spare)]


def _joined(sections: Sections, count: int, bits: int, what_for: str) -> Symbols:
    spare = bits - _ALPHABET_BITS
    high = decode_symbols(sections, count, _ALPHABET_BITS, "ans", what_for).astype(np.uint8, copy=False)
    symbols = high.astype(np.uint16) << np.uint16(spare)
    common = _commonest(high)
    for where in (common, ~common):
        symbols[where] |= decode_symbols(sections, int(where.sum()), spare, "ans", what_for)
    return symbols


def _commonest(high: Octets) -> NDArray[np.bool_]:
    return np.asarray(high == np.bincount(high, minlength=1).argmax())


def _ans(symbols: Symbols) -> Octets:
    """Return the first and the last letter, the codes of the frequencies between, the coder's words."""
    first, last = int(symbols.min()), int(symbols.max())
    ends = np.array([first, last], np.uint8)
    if first == last:
        return ends
    letters = symbols.astype(np.int32)
    letters -= first
    codes = _frequency_codes(np.bincount(letters))
    coder = constriction.stream.stack.AnsCoder()
    coder.encode_reverse(letters, _model(codes))
    words = np.ascontiguousarray(coder.get_compressed(), "<u4").view(np.uint8)
    return np.concatenate([ends, pack(codes, _CODE_BITS), words])


def _unans(sections: Sections, count: int, bits: int) -> Octets:
    first, last = sections.take(2)
    if first > last or last >> bits:
        raise BadBody("body: the letters of a block of symbols are out of range")
    span = 0 if first == last else last - first + 1
    codes = unpack(sections.take(packed_bytes(span, _CODE_BITS)), span, _CODE_BITS)
    letters = _decoded_words(sections, count, codes).astype(np.uint8) if span else np.zeros(count, np.uint8)
    sections.end(0)
    letters += np.uint8(first)
    return letters


def _decoded_words(sections: Sections, count: int, codes: Symbols) -> NDArray[np.int32]:
    """Return the letters less the first. A stream that was cut does not end in the empty state."""
    if not codes[0] or not codes[-1] or len(sections.rest) % 4:
        raise BadBody("body: a block of symbols is not of ANS")
    words = np.frombuffer(sections.take(len(sections.rest)), "<u4").astype(np.uint32)
    try:
        coder = constriction.stream.stack.AnsCoder(words)
        letters: NDArray[np.int32] = coder.decode(_model(codes), count)
    except ValueError as error:  # the last word is zero
        raise BadBody("body: a block of symbols is not of ANS") from error
    if not coder.is_empty():
        raise BadBody("body: a block of symbols does not end where it should")
    return letters


def _frequency_codes(counts: NDArray[np.int64]) -> Octets:
    """Return the code of the nearest frequency to each count, the largest being 7 x 2^14 at most."""
    scaled = counts * (int(_FREQUENCIES[-1]) / int(counts.max()))
    middles = (_FREQUENCIES[1:-1] + _FREQUENCIES[2:]) / 2
    codes = 1 + np.searchsorted(middles, scaled)
    return np.where(counts > 0, codes, 0).astype(np.uint8)


def _model(codes: Symbols) -> "constriction.stream.model.Categorical":
    """Return the model of the codes' frequencies: small integers, exact in float64.

    The coder turns them into its 24-bit table by IEEE sums, one division and products, which are the
    same on every machine; every letter, also one of frequency 0, keeps at least 2^-24.
    """
    return constriction.stream.model.Categorical(_FREQUENCIES[codes].astype(np.float64), perfect=False)
