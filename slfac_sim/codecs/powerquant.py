"""PowerQuant: a uniform grid over |x|^a, whose exponent a is the one that fits the message best.

It knows one tensor at a time. The exponent is one for the message, as the paper has one for the network;
`scope` says what shares a largest magnitude.
"""

import functools
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs import BadBody, Codec, Payload, Tensor
from slfac_sim.codecs._power import (
    best_code,
    dequantise,
    exponent_of,
    is_code,
    levels_of,
    quantise,
    shares_of,
)
from slfac_sim.codecs.kit.entropy import (
    Entropy,
    decode_flops,
    decode_symbols,
    encode_flops,
    encode_symbols,
    entropy_bits,
)
from slfac_sim.codecs.kit.groups import (
    Form,
    HeaderType,
    Scope,
    arrange,
    figures_of,
    grouped,
    rounded_up,
    sends,
    some_of,
    tensor_of,
    unscaled,
    unusual,
)
from slfac_sim.codecs.kit.stateless import StatelessReceiver, StatelessSender
from slfac_sim.codecs.kit.wire import Sections, framed, unseal
from slfac_sim.foundation.plugins import settings

KIND = "powerquant"
_FEWEST, _SAMPLE = 16, 2**15  # values of a group and of a message in the search


@settings
class PowerQuant(Codec):
    """q = round(L sgn(x) |x|^a / m^a), x^ = m sgn(q) (|q| / L)^(1/a), m the group's largest magnitude.

    L = 2^(bits-1) - 1; a group without negative values has L = 2^bits - 1. a minimises the squared error,
    on a grid of 0.05 from 0.2 to 1 that is refined to 0.005 around the best ("ours": the paper uses a
    simplex search), over at most about 32,768 values of the message.
    """

    bits: Annotated[int, Field(ge=2, le=16)] = 8
    scope: Scope = "tensor"
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"

    references: ClassVar[tuple[str, ...]] = ("yvinec2023powerquant",)

    @property
    def label(self) -> str:
        """The codec's name for people."""
        words = [f"PowerQuant {self.bits} bit", self.scope]
        return ", ".join([*words, *unusual(self)])

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        search = 370.0 if self.scope == "plane" else 0.0  # of more values, or else each group had a few
        return 600.0 + search + encode_flops(self.entropy, self.bits)

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return 240.0 + decode_flops(self.entropy, self.bits)

    def sender(self, stream: str) -> StatelessSender:
        """Return the sending end of `stream`, whose name appears in errors only."""
        return StatelessSender(stream, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


def encode(codec: PowerQuant, tensor: Tensor, stream: str) -> Payload:
    """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
    form, rows = grouped(codec, tensor, stream)
    lowest = rows.min(axis=1)
    largest = rounded_up(np.maximum(rows.max(axis=1), -lowest), form.dtype)
    sent = sends(largest.astype(np.float32), rows.shape[1])

    signed = lowest < 0
    negative = signed[sent, None]
    shares = shares_of(rows[sent], largest[sent, None].astype(np.float32))
    code = best_code(np.abs(some_of(shares, _FEWEST, _SAMPLE)), levels_of(negative, codec.bits))
    symbols = quantise(shares, negative, code, codec.bits).reshape(-1)

    blocks = [
        ("ranges", largest.view(np.uint8)),
        ("ranges", np.packbits(signed)),
        ("symbols", encode_symbols(symbols, codec.bits, codec.entropy)),
    ]
    notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8, "exponent": exponent_of(code)}
    return framed(KIND, tensor.shape, form.to_bytes() + bytes([codec.bits, code]), blocks, notes)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    frame = unseal(body, KIND)
    form, (bits, code) = Form.from_bytes(frame.settings, 2)
    if not 2 <= bits <= 16 or not is_code(code):
        raise BadBody(f"body: settings {frame.settings.hex()} are not those of {KIND}")
    groups, size = arrange(frame.shape, form.scope)
    sections = Sections(frame.content)
    largest = figures_of(sections, form, groups)
    flags = np.frombuffer(sections.take(-(-groups // 8), "ranges"), np.uint8)
    signed = np.unpackbits(flags, count=groups).astype(bool)
    sent = sends(largest, size)
    symbols = decode_symbols(sections, int(sent.sum()) * size, bits, form.entropy)
    sections.end(0)

    rows = np.zeros((groups, size), np.float32)
    rows[sent] = dequantise(symbols.reshape(-1, size), largest[sent, None], signed[sent, None], code, bits)
    return tensor_of(unscaled(rows, form.exponent), frame.shape, form.scope)
