"""SL-FAC, our reading: transform, split, allocate, quantise, pack (arXiv 2604.07316).

It knows one tensor at a time, as maps of [batch, channels, h, w] (`_slfac_maps`), and no tensor before it.
The formulas are at the steps (`_dct`, `_bands`, `_quantise`), the layout of the bytes is in
docs/wire_format.md.
"""

import functools
import math
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.codecs import BadBody, BadTensor, Payload, Tensor
from slfac_sim.codecs._bands import Normaliser, Selection, allocate, lengths, split, weights
from slfac_sim.codecs._dct import forward, inverse
from slfac_sim.codecs._entropy import Entropy, decode_flops, encode_flops
from slfac_sim.codecs._quantise import (
    band_ends,
    dequantise,
    entropy_bits_by_width,
    pack_by_width,
    quantise,
    rounded_ends,
    sent_bits,
    symbol_bytes,
    unpack_by_width,
)
from slfac_sim.codecs._slfac_maps import map_shape, maps_of, tensor_of
from slfac_sim.codecs._slfac_wire import (
    EXPONENTS,
    LARGEST,
    LARGEST_GROUP,
    MAX_SIDE,
    Form,
    Header,
    HeaderType,
    Scope,
    read_header,
    write_header,
)
from slfac_sim.codecs._stateless import StatelessReceiver, StatelessSender, largest_magnitude
from slfac_sim.codecs._wire import Sections, framed, unseal
from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import settings

KIND = "slfac"
_TOP = 15  # coefficients are scaled to at most 2^15: inside float16, as far as can be from its underflow


@settings
class SlFac:
    """SL-FAC: each spectrum splits where its cumulative energy reaches `theta`; bits follow band energy.

    `scope` says what shares one split, widths and ends: a `plane` (one sample, one channel), or a
    `channel` over the batch. `normaliser` turns energies into bits (`_bands`). `header_dtype` is the type
    of each band's minimum and maximum: at 7x7 maps, float32 costs 2.6 bits a value, float16 half of it.
    `selection` replaces energy by magnitude or standard deviation in the choice of the split (the paper's
    ablations, our reading); `entropy` is a stage after the quantiser.
    """

    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            key="slfac2026",
            entry="misc",
            title="SL-FAC: A Communication-Efficient Split Learning Framework with "
            "Frequency-Aware Compression",
            year=2026,
            arxiv="2604.07316",
        ),
    )

    theta: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    b_min: Annotated[int, Field(ge=1, le=16)] = 2
    b_max: Annotated[int, Field(ge=1, le=16)] = 8
    scope: Scope = "plane"
    normaliser: Normaliser = "chsum"
    header_dtype: HeaderType = "float16"
    selection: Selection = "energy"
    entropy: Entropy = "none"

    def __post_init__(self) -> None:
        if self.b_min > self.b_max:
            raise ValueError(f"b_min must not exceed b_max (got {self.b_min} and {self.b_max})")

    @property
    def label(self) -> str:
        """The codec's name for people; "our reading", because the paper's equations were not at hand."""
        unusual: list[str] = [self.scope] if self.scope != "plane" else []
        unusual += [self.normaliser] if self.normaliser != "chsum" else []
        unusual += [f"{self.header_dtype} headers"] if self.header_dtype != "float16" else []
        unusual += [f"split by {self.selection}"] if self.selection != "energy" else []
        unusual += [self.entropy] if self.entropy != "none" else []
        rest = "".join(f", {word}" for word in unusual)
        return f"SL-FAC (our reading), theta {self.theta:g}, {self.b_min}..{self.b_max} bits{rest}"

    # Equivalent FLOPs: CPU time a value times training throughput, measured by benchmarks/codecs.py on
    # one machine and one thread (54 GFLOP/s): plane 13.0 and 5.8 ns at 14x14, 22 and 8.6 ns at 7x7;
    # channel 7.1 and 4.1 ns, 9.5 and 5.0 ns.

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        plain = 900.0 if self.scope == "plane" else 450.0
        return plain + encode_flops(self.entropy, 4)

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        plain = 380.0 if self.scope == "plane" else 240.0
        return plain + decode_flops(self.entropy, 4)

    def sender(self, stream: str) -> StatelessSender:
        """Return the sending end of `stream`, whose name appears in errors only."""
        return StatelessSender(stream, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


def encode(codec: SlFac, tensor: Tensor, stream: str) -> Payload:
    """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
    exponent = _exponent(tensor, stream)
    form = Form(codec.scope, codec.header_dtype, codec.b_min, codec.b_max, exponent, codec.entropy)
    shape = map_shape(tensor.shape)
    samples, groups, coefficients = form.arrange(shape)
    if samples * coefficients > LARGEST_GROUP:
        found = f"{samples} samples of {coefficients} values"
        raise BadTensor(
            f"{stream}: a channel holds at most {LARGEST_GROUP} values (got {found}); use scope plane"
        )

    maps = (maps_of(tensor) * np.float32(2.0**exponent)).reshape(-1, *shape[2:])
    spectra = forward(maps).reshape(samples, groups, coefficients)

    bands = split(spectra, codec.theta, weights(spectra, codec.selection, shape[0]))
    sizes = lengths(bands.last_low, coefficients)

    energy = np.ldexp(bands.mean_energy, -2 * exponent)
    bits = allocate(energy, sizes, codec.normaliser, codec.b_min, codec.b_max)

    row = spectra.reshape(samples, -1)
    ends = rounded_ends(*band_ends(row, sizes), form.end_dtype)
    sent = sent_bits(bits, ends)
    symbols = quantise(row, ends, sent, sizes)

    header = write_header(Header(bands.last_low, bits, ends), form, coefficients)
    blocks = list(zip(("splits", "widths", "ranges"), header, strict=True))
    blocks += [("symbols", block) for block in pack_by_width(symbols, sent, sizes, codec.entropy)]
    notes = _notes(bits, sizes)
    if codec.entropy != "none":
        notes["entropy_bound_bytes"] = entropy_bits_by_width(symbols, sent, sizes) / 8
    return framed(KIND, tensor.shape, form.to_bytes(), blocks, notes)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`.

    The header is read and the length checked before anything of the tensor's size is allocated.
    """
    frame = unseal(body, KIND)
    form = Form.from_bytes(frame.settings)
    shape = map_shape(frame.shape)
    if max(shape[2:]) > MAX_SIDE:
        raise BadBody(f"body: shape {list(frame.shape)} is not one of small maps")
    samples, groups, coefficients = form.arrange(shape)
    if samples * coefficients > LARGEST_GROUP:
        raise BadBody(
            f"body: a channel of {samples * coefficients} values, at most {LARGEST_GROUP} are legal"
        )

    sections = Sections(frame.content)
    header = read_header(sections, form, groups, coefficients)
    sizes = lengths(header.last_low, coefficients)
    sent = sent_bits(header.bits, header.ends)
    least = symbol_bytes(sent, sizes, samples, form.entropy)
    if form.entropy == "none" or len(sections.rest) < least:
        sections.end(least)

    symbols = unpack_by_width(sections, sent, sizes, samples, form.entropy)
    sections.end(0)
    ends = header.ends.astype(np.float32) * np.float32(2.0**-form.exponent)
    spectra = dequantise(symbols, ends, sent, sizes)
    return tensor_of(inverse(spectra.reshape(-1, coefficients), *shape[2:]), frame.shape)


def _exponent(tensor: Tensor, stream: str) -> int:
    """Return the power of two that brings every coefficient of `tensor` to at most 2^15.

    |F| <= sqrt(h w) max|x|. Gradients of 1e-5 would underflow in float16 headers without it. Raises
    `BadTensor` for a tensor that SL-FAC cannot take.
    """
    largest = largest_magnitude(tensor, stream)
    height, width = map_shape(tensor.shape)[2:]
    if max(height, width) > MAX_SIDE:
        limits = f"with maps of at most {MAX_SIDE}x{MAX_SIDE}"
        raise BadTensor(f"{stream}: expected a tensor {limits} (got shape {list(tensor.shape)})")
    if largest > LARGEST:
        raise BadTensor(f"{stream}: expected magnitudes up to {LARGEST:.3g} (got {largest:.3g})")
    growth = math.ceil(math.log2(height * width) / 2)
    return min(_TOP - growth - math.frexp(largest)[1], EXPONENTS[1]) if largest > 0 else 0


def _notes(bits: NDArray[np.uint8], sizes: NDArray[np.int64]) -> dict[str, float]:
    """Return the mean bits of a value in each band, as allocated, and the share of the low band."""
    values = sizes.sum(axis=0)
    low, high = (bits * sizes).sum(axis=0) / np.maximum(values, 1)
    return {
        "bits_low": float(low),
        "bits_high": float(high),
        "low_fraction": float(values[0] / values.sum()),
    }
