"""PowerQuant: a uniform grid over |x|^a, whose exponent a is the one that fits the message best.

It knows one tensor at a time. The exponent is one for the message, as the paper has one for the network;
`scope` says what shares a largest magnitude.
"""

import functools
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.codecs import BadBody, Payload, Tensor
from slfac_sim.codecs._entropy import (
    Entropy,
    decode_flops,
    decode_symbols,
    encode_flops,
    encode_symbols,
    entropy_bits,
)
from slfac_sim.codecs._groups import (
    Floats,
    Form,
    HeaderType,
    Scope,
    arrange,
    figures_of,
    rounded_up,
    rows_of,
    scaled,
    sends,
    some_of,
    tensor_of,
    unscaled,
)
from slfac_sim.codecs._packing import Symbols
from slfac_sim.codecs._stateless import StatelessReceiver, StatelessSender
from slfac_sim.codecs._wire import Sections, framed, unseal
from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import settings

KIND = "powerquant"
_STEP = 0.005  # of the exponent, which travels as one byte: a = 0.005 code
_CODES = np.arange(40, 201, 10)  # a = 0.2, 0.25 .. 1
_REFINE = (5, 2, 1)
_FEWEST, _SAMPLE = 16, 2**15  # values of a group and of a message in the search


@settings
class PowerQuant:
    """q = round(L sgn(x) |x|^a / m^a), x^ = m sgn(q) (|q| / L)^(1/a), m the group's largest magnitude.

    L = 2^(bits-1) - 1; a group without negative values has L = 2^bits - 1. a minimises the squared error,
    on a grid of 0.05 from 0.2 to 1 that is refined to 0.005 around the best ("ours": the paper uses a
    simplex search), over at most about 32,768 values of the message.
    """

    bits: Annotated[int, Field(ge=2, le=16)] = 8
    scope: Scope = "tensor"
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"

    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            key="yvinec2023powerquant",
            entry="inproceedings",
            title="PowerQuant: Automorphism Search for Non-Uniform Quantization",
            authors=("Yvinec, Edouard", "Dapogny, Arnaud", "Cord, Matthieu", "Bailly, Kevin"),
            year=2023,
            within="International Conference on Learning Representations",
            arxiv="2301.09858",
        ),
    )

    @property
    def label(self) -> str:
        """The codec's name for people."""
        words = [f"PowerQuant {self.bits} bit", self.scope]
        words += [self.entropy] if self.entropy != "none" else []
        words += [f"{self.header_dtype} headers"] if self.header_dtype != "float16" else []
        return ", ".join(words)

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        search = 500.0 if self.scope == "plane" else 0.0  # of more values, or else each group had a few
        return 800.0 + search + encode_flops(self.entropy, self.bits)

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return 270.0 + decode_flops(self.entropy, self.bits)

    def sender(self, stream: str) -> StatelessSender:
        """Return the sending end of `stream`, whose name appears in errors only."""
        return StatelessSender(stream, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


def encode(codec: PowerQuant, tensor: Tensor, stream: str) -> Payload:
    """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
    values, exponent = scaled(tensor, stream)
    form = Form(codec.scope, codec.header_dtype, codec.entropy, exponent)
    rows = rows_of(values, codec.scope)
    lowest = rows.min(axis=1)
    largest = rounded_up(np.maximum(rows.max(axis=1), -lowest), form.dtype)
    sent = sends(largest.astype(np.float32), rows.shape[1])

    signed = lowest < 0
    share = _shares(rows[sent], largest[sent])
    levels = _levels(signed[sent], codec.bits)
    code = _best_code(np.abs(some_of(share, _FEWEST, _SAMPLE)), levels)
    symbols = _quantise(share, levels, signed[sent], code * _STEP, codec.bits).reshape(-1)

    blocks = [
        ("ranges", largest.view(np.uint8)),
        ("ranges", np.packbits(signed)),
        ("symbols", encode_symbols(symbols, codec.bits, codec.entropy)),
    ]
    notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8, "exponent": code * _STEP}
    return framed(KIND, tensor.shape, form.to_bytes() + bytes([codec.bits, code]), blocks, notes)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    frame = unseal(body, KIND)
    form, (bits, code) = Form.from_bytes(frame.settings, 2)
    if not 2 <= bits <= 16 or not _CODES[0] <= code <= _CODES[-1]:
        raise BadBody(f"body: settings {frame.settings.hex()} are not those of {KIND}")
    groups, size = arrange(frame.shape, form.scope)
    sections = Sections(frame.content)
    largest = figures_of(sections, form, groups)
    flags = np.frombuffer(sections.take(-(-groups // 8), "ranges"), np.uint8)
    signed = np.unpackbits(flags, count=groups).astype(bool)
    sent = sends(largest, size)
    symbols = decode_symbols(sections, int(sent.sum()) * size, bits, form.entropy)
    sections.end(0)

    levels = _levels(signed[sent], bits)
    share = (symbols.reshape(-1, size).astype(np.float32) - _zero(signed[sent], levels)) / levels
    magnitude = np.minimum(_power(np.abs(share), 1 / (code * _STEP)), np.float32(1))
    rows = np.zeros((groups, size), np.float32)
    rows[sent] = np.copysign(magnitude, share) * largest[sent, None]
    return tensor_of(unscaled(rows, form.exponent), frame.shape, form.scope)


def _shares(rows: Floats, largest: NDArray[np.floating]) -> Floats:
    """Return x / m of every value, within -1 .. 1."""
    wide = largest.astype(np.float32)[:, None]
    return rows * np.divide(1, wide, out=np.zeros_like(wide), where=wide > 0)


def _levels(signed: NDArray[np.bool_], bits: int) -> Floats:
    """Return L of every group ([groups, 1])."""
    return np.where(signed, 2.0 ** (bits - 1) - 1, 2.0**bits - 1).astype(np.float32)[:, None]


def _zero(signed: NDArray[np.bool_], levels: Floats) -> Floats:
    """Return the symbol of zero in every group ([groups, 1])."""
    return np.where(signed[:, None], levels, np.float32(0))


def _power(shares: Floats, exponent: float) -> Floats:
    """Return `shares` ([..], 0 to 1) to the power of `exponent`; by logarithm, which numpy vectorises."""
    with np.errstate(divide="ignore"):
        powers: Floats = np.log(shares)
    powers *= np.float32(exponent)
    return np.exp(powers, out=powers)


def _quantise(
    share: Floats, levels: Floats, signed: NDArray[np.bool_], exponent: float, bits: int
) -> Symbols:
    symbols = np.copysign(_power(np.abs(share), exponent), share)
    symbols *= levels
    symbols += _zero(signed, levels)
    symbols += np.float32(0.5)
    np.clip(symbols, 0, 2.0**bits - 1, out=symbols)
    return symbols.astype(np.uint8) if bits <= 8 else symbols.astype(np.uint16)


def _best_code(shares: Floats, levels: Floats) -> int:
    """Return the code of the exponent with the least squared error on `shares` (|x| / m)."""
    if shares.size == 0:
        return int(_CODES[-1])
    best = min((int(code) for code in _CODES), key=functools.partial(_error, shares, levels))
    for step in _REFINE:
        near = (code for code in (best, best - step, best + step) if _CODES[0] <= code <= _CODES[-1])
        best = min(near, key=functools.partial(_error, shares, levels))
    return best


def _error(shares: Floats, levels: Floats, code: int) -> float:
    quantised = np.floor(_power(shares, code * _STEP) * levels + np.float32(0.5)) / levels
    back = _power(quantised, 1 / (code * _STEP))
    back -= shares
    return float(np.vdot(back, back))
