"""SL-FAC, our reading: transform, split, allocate, quantise, pack (arXiv 2604.07316).

It knows one tensor at a time, as maps of [batch, channels, h, w] (`kit.maps`), and no tensor before it.
The formulas are at the steps (`kit.dct`, `_slfac.bands`, `_slfac.quantise`), the layout of the bytes is in
docs/wire_format.md.

>>> body = SlFac().sender("up").encode(np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)).body
>>> len(body), SlFac().receiver().decode(body)[0, 0, 1].round(1)
(39, array([4., 5., 6., 7.], dtype=float32))
"""

import math
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.codecs import BadBody, BadTensor, Payload, Tensor
from slfac_sim.codecs._slfac.bands import Normaliser, Selection, allocate, lengths, split, weights
from slfac_sim.codecs._slfac.quantise import (
    band_ends,
    dequantise,
    gathered,
    quantise,
    scattered,
    sent_bits,
    widths,
)
from slfac_sim.codecs._slfac.rivals import read_bands, write_bands
from slfac_sim.codecs._slfac.wire import (
    EXPONENTS,
    LARGEST,
    Bands,
    Form,
    Header,
    Quantiser,
    Scope,
    read_header,
    write_header,
)
from slfac_sim.codecs.kit.dct import forward, inverse
from slfac_sim.codecs.kit.entropy import (
    Coded,
    Entropy,
    decode_symbols,
    encode_symbols,
    entropy_bits,
    least_bytes,
)
from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.groups import LARGEST_GROUP, HeaderType, rounded_ends
from slfac_sim.codecs.kit.maps import MAX_SIDE, folded_shape, maps_of, tensor_of
from slfac_sim.codecs.kit.stateless import Stateless, largest_magnitude
from slfac_sim.codecs.kit.wire import Sections, framed, unseal
from slfac_sim.foundation.plugins import settings

KIND = "slfac"
_NAMES: dict[Quantiser, str] = {"powerquant": "PowerQuant", "easyquant": "EasyQuant"}
_FLOPS: dict[tuple[Quantiser, Scope], tuple[float, float]] = {  # of one value: to encode, to decode
    ("fqc", "plane"): (680.0, 430.0),
    ("fqc", "channel"): (450.0, 315.0),
    ("powerquant", "plane"): (1450.0, 810.0),
    ("powerquant", "channel"): (950.0, 510.0),
    ("easyquant", "plane"): (3050.0, 460.0),  # the steps are sought on all values
    ("easyquant", "channel"): (1670.0, 460.0),
}
_TOP = 15  # coefficients are scaled to at most 2^15: inside float16, as far as can be from its underflow


@settings
class SlFac(Coded, Stateless):
    """SL-FAC: each spectrum splits in two bands by cumulative energy; bits follow band energy.

    The paper's ablations (our reading) are settings.
    """

    references: ClassVar[tuple[str, ...]] = ("slfac2026",)

    theta: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """Part of a spectrum's energy that the low band holds at least: the spectrum splits where its cumulative
    energy, in zigzag order, first reaches it. The default is the paper's.
    """
    b_min: Annotated[int, Field(ge=1, le=16)] = 2
    """Fewest bits of a coefficient, for a band whose share (`normaliser`) is 0; the default is the paper's.
    """
    b_max: Annotated[int, Field(ge=1, le=16)] = 8
    """Most bits of a coefficient, for a band whose share (`normaliser`) is 1; the default is the paper's."""
    scope: Scope = "plane"
    """What shares one split, and for each band one width, minimum and maximum: a `plane` (one sample, one
    channel), or a `channel` over the batch, which has fewer headers and fits a sample less.
    """
    normaliser: Normaliser = "chsum"
    """What a band's share, and so its bits, is: log(1 + E), E its mean energy, over the sum of both in the
    group (`chsum`), the larger of both (`chmax`), or the largest of the message (`msgmax`); `rel` is `msgmax`
    of log(1 + E / E_message), whatever the scale of the tensor; `lin` is `chsum` of E itself.
    """
    header_dtype: HeaderType = "float16"
    """Type of each band's minimum and maximum: by plane at 7x7 maps, float32 costs 2.6 bits a value, float16
    half of it.
    """
    selection: Selection = "energy"
    """What the split adds up: `energy`, or in the paper's ablations magnitude or standard deviation."""
    entropy: Entropy = "none"
    quantiser: Quantiser = "fqc"
    """What quantises bands: `fqc`, or in the paper's ablations PowerQuant or EasyQuant with its default
    settings, each band a group, all of them in (b_min + b_max) // 2 bits (ours).
    """

    def __post_init__(self) -> None:
        if self.b_min > self.b_max:
            raise ValueError(f"b_min must not exceed b_max (got {self.b_min} and {self.b_max})")
        if self.quantiser != "fqc" and self.bits < 2:
            got = f"{self.b_min} and {self.b_max}"
            raise ValueError(f"quantiser {self.quantiser} needs b_min + b_max of at least 4 (got {got})")

    @property
    def bits(self) -> int:
        """Bits of every value with a quantiser other than `fqc`, and about the mean with it."""
        return (self.b_min + self.b_max) // 2

    @property
    def label(self) -> str:
        """The codec's name for people; "our reading", because the paper's equations were not at hand."""
        unusual = (
            self.scope if self.scope != "plane" else "",
            self.normaliser if self.normaliser != "chsum" else "",
            f"{self.header_dtype} headers" if self.header_dtype != "float16" else "",
            f"split by {self.selection}" if self.selection != "energy" else "",
        )
        bits = f"{self.b_min}..{self.b_max} bits"
        if self.quantiser != "fqc":
            bits = f"{_NAMES[self.quantiser]} {self.bits} bit for FQC"
        return self.named(f"SL-FAC (our reading), theta {self.theta:g}, {bits}", *unusual)

    @property
    def own_flops(self) -> tuple[float, float]:
        """By quantiser and scope."""
        return _FLOPS[self.quantiser, self.scope]

    def encode(self, tensor: Tensor, stream: str) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
        form = _form(self, _exponent(tensor, stream))
        shape = folded_shape(tensor.shape)
        samples, groups, coefficients = form.arrange(shape)
        if samples * coefficients > LARGEST_GROUP:
            limits = f"a channel holds at most {LARGEST_GROUP} values"
            got = f"{samples} samples of {coefficients} values"
            raise BadTensor(f"{stream}: {limits} (got {got}); use scope plane")

        maps = (maps_of(tensor, shape) * np.float32(2.0**form.exponent)).reshape(-1, *shape[2:])
        spectra = forward(maps).reshape(samples, groups, coefficients)

        bands = split(spectra, self.theta, weights(spectra, self.selection, shape[0]))
        sizes = bands.sizes

        energy = np.ldexp(bands.mean_energy, -2 * form.exponent)
        bits = allocate(energy, sizes, self.normaliser, form.b_min, form.b_max)

        row = spectra.reshape(samples, -1)
        own = form.quantiser == "fqc"
        written = _write_fqc(row, bits, sizes, form) if own else write_bands(row, sizes, form)
        header = write_header(Header(bands.last_low, bits, written.ends), form, coefficients)
        blocks = [*zip(("splits", "widths", "ranges"), header, strict=True), *written.blocks]
        notes = _notes(bits, sizes)
        if self.entropy != "none":
            notes["entropy_bound_bytes"] = written.bound_bits / 8
        return framed(KIND, tensor.shape, form.to_bytes(), blocks, notes)

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`. Raises `BadBody`.

        The header is read and the length checked before anything of the tensor's size is allocated.
        """
        frame = unseal(body, KIND)
        form = Form.from_bytes(frame.settings)
        shape = folded_shape(frame.shape)
        if max(shape[2:]) > MAX_SIDE:
            raise BadBody(f"body: shape {list(frame.shape)} is not one of small maps")
        samples, groups, coefficients = form.arrange(shape)
        if samples * coefficients > LARGEST_GROUP:
            got = f"a channel of {samples * coefficients} values"
            raise BadBody(f"body: {got}, at most {LARGEST_GROUP} are legal")

        sections = Sections(frame.content)
        header = read_header(sections, form, groups, coefficients)
        sizes = lengths(header.last_low, coefficients)
        read = _read_fqc if form.quantiser == "fqc" else read_bands
        spectra = read(sections, header, sizes, samples, form)
        sections.end(0)
        return tensor_of(inverse(spectra.reshape(-1, coefficients), *shape[2:]), frame.shape)


def _form(codec: SlFac, exponent: int) -> Form:
    """Return what the body says of the settings of `codec`."""
    ends = (codec.b_min, codec.b_max) if codec.quantiser == "fqc" else (codec.bits, codec.bits)
    return Form(codec.scope, codec.header_dtype, *ends, exponent, codec.entropy, codec.quantiser)


def _write_fqc(row: Floats, bits: NDArray[np.uint8], sizes: NDArray[np.int64], form: Form) -> Bands:
    """Return what a body holds of `row` ([samples, columns]), in `bits` a band; overwrites `row`."""
    ends = rounded_ends(*band_ends(row, sizes), form.end_dtype)
    wide = ends.astype(np.float32)
    sent = sent_bits(bits, wide)
    by_width = gathered(quantise(row, wide, sent, sizes), sent, sizes)
    blocks = [("symbols", encode_symbols(symbols, width, form.entropy)) for width, symbols in by_width]
    bound = sum(entropy_bits(symbols) for _, symbols in by_width) if form.entropy != "none" else 0.0
    return Bands(ends, blocks, bound)


def _read_fqc(
    sections: Sections, header: Header, sizes: NDArray[np.int64], samples: int, form: Form
) -> Floats:
    """Return the row of `_write_fqc`, times 2^-e. Raises `BadBody`."""
    sent = sent_bits(header.bits, header.ends)
    counts = [(width, samples * columns) for width, columns in widths(sent, sizes)]
    least = sum(least_bytes(count, width, form.entropy) for width, count in counts)
    if form.entropy == "none" or len(sections.rest) < least:
        sections.end(least)
    blocks = [decode_symbols(sections, count, width, form.entropy) for width, count in counts]
    symbols = scattered(blocks, samples, sent, sizes)
    return dequantise(symbols, header.ends * np.float32(2.0**-form.exponent), sent, sizes)


def _exponent(tensor: Tensor, stream: str) -> int:
    """Return the power of two that brings every coefficient of `tensor` to at most 2^15.

    |F| <= sqrt(h w) max|x|. Gradients of 1e-5 would underflow in float16 headers without it. Raises
    `BadTensor` for a tensor that SL-FAC cannot take.
    """
    largest = largest_magnitude(tensor, stream)
    height, width = folded_shape(tensor.shape)[2:]
    if max(height, width) > MAX_SIDE:
        limits = f"with maps of at most {MAX_SIDE}x{MAX_SIDE}"
        raise BadTensor(f"{stream}: expected a tensor {limits} (got shape {list(tensor.shape)})")
    if largest > LARGEST:
        raise BadTensor(f"{stream}: expected magnitudes up to {LARGEST:.3g} (got {largest:.3g})")
    growth = math.ceil(math.log2(height * width) / 2)
    return min(_TOP - growth - math.frexp(largest)[1], EXPONENTS[1]) if largest > 0 else 0


def _notes(bits: NDArray[np.uint8], sizes: NDArray[np.int64]) -> dict[str, float]:
    """Return the mean bits of a value in each band, as allocated, and the share of the low band."""
    values = int(sizes.sum())
    low_values = int(sizes[:, 0].sum())
    low_bits, high_bits = np.einsum("gb,gb->b", bits, sizes).tolist()
    return {
        "bits_low": low_bits / max(low_values, 1),
        "bits_high": high_bits / max(values - low_values, 1),
        "low_fraction": low_values / values,
    }
