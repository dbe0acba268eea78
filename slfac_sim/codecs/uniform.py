"""The uniform min-max quantiser: every value of a group in equal steps between its least and its largest.

It knows no transform: it is what SL-FAC has to beat at equal scope and bits. Layout of the bytes:
docs/wire_format.md.
"""

import functools
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.codecs import BadBody, Codec, Payload, Tensor
from slfac_sim.codecs.kit.entropy import (
    Entropy,
    decode_flops,
    decode_symbols,
    encode_flops,
    encode_symbols,
    entropy_bits,
)
from slfac_sim.codecs.kit.groups import (
    LARGEST_GROUP,
    Floats,
    Form,
    HeaderType,
    Scope,
    arrange,
    figures_of,
    grouped,
    tensor_of,
    unscaled,
    unusual,
)
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.quantise import NARROWEST
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws, StatelessReceiver
from slfac_sim.codecs.kit.wire import Sections, framed, unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import SeedNumber

KIND = "uniform"


@settings
class Uniform(Codec):
    """Min-max quantiser of `bits` bits a value; `scope` says what shares a minimum and a maximum.

    q = round((x - min) / s), s = (max - min) / (2^bits - 1), x^ = min + s q. With `rounding: stochastic` a
    value goes up with the probability of its distance from the lower level, so that E[x^] = x (in
    training; inference rounds to the nearest). `seed` is of these draws.
    """

    bits: Annotated[int, Field(ge=1, le=16)] = 8
    scope: Scope = "plane"
    rounding: Literal["nearest", "stochastic"] = "nearest"
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"
    seed: SeedNumber = 0

    may_lose_to_zeros: ClassVar[str] = "zero need not be a level of a min-max grid: many zeros, few bits"

    @property
    def unbiased(self) -> bool:
        """Whether the mean of what arrives is what was sent."""
        return self.rounding == "stochastic"

    @property
    def label(self) -> str:
        """The codec's name for people."""
        words = [f"uniform {self.bits} bit", self.scope]
        words += [self.rounding] if self.rounding != "nearest" else []
        return ", ".join([*words, *unusual(self)])

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        draws = 230.0 if self.rounding == "stochastic" else 0.0
        return 350.0 + draws + encode_flops(self.entropy, self.bits)

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return 65.0 + decode_flops(self.entropy, self.bits)

    def sender(self, stream: str) -> DrawingSender:
        """Return the sending end of `stream`, whose name is in errors and in its draws."""
        return DrawingSender(stream, self.seed, "rounding", functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


def encode(codec: Uniform, tensor: Tensor, stream: str, draws: Draws) -> Payload:
    """Return the payload of `tensor`; `draws` are for stochastic rounding. Raises `BadTensor`."""
    form, rows = grouped(codec, tensor, stream)
    random = draws if codec.rounding == "stochastic" else None

    ends = _ends(rows, form.dtype, exact=random is not None)
    sent = _sent(ends, rows.shape[1])
    some = rows if sent.all() else rows[sent]
    symbols = _quantise(some, ends[sent], codec.bits, random).reshape(-1)

    blocks = [
        ("ranges", ends.reshape(-1).view(np.uint8)),
        ("symbols", encode_symbols(symbols, codec.bits, codec.entropy)),
    ]
    notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8}
    return framed(KIND, tensor.shape, form.to_bytes() + bytes([codec.bits]), blocks, notes)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    frame = unseal(body, KIND)
    form, extra = Form.from_bytes(frame.settings, 1)
    bits = extra[0]
    if not 1 <= bits <= 16:
        raise BadBody(f"body: {bits} bits a value, 1 to 16 are legal")
    groups, size = arrange(frame.shape, form.scope)

    sections = Sections(frame.content)
    ends = figures_of(sections, form, groups, 2)
    if not (ends[:, 0] <= ends[:, 1]).all():
        raise BadBody("body: the ends of a group are not in order")
    sent = _sent(ends, size)
    symbols = decode_symbols(sections, int(sent.sum()) * size, bits, form.entropy)
    sections.end(0)

    rows = np.repeat(ends[:, :1], size, axis=1)
    step = (ends[:, 1] - ends[:, 0]) / np.float32(2**bits - 1)
    if sent.all():
        rows += symbols.reshape(-1, size) * step[:, None]
    else:
        rows[sent] += symbols.reshape(-1, size) * step[sent, None]
    return tensor_of(unscaled(rows, form.exponent), frame.shape, form.scope)


def _ends(rows: Floats, dtype: np.dtype[np.floating], exact: bool) -> NDArray[np.floating]:
    """Return minimum and maximum of every row ([groups, 2] of `dtype`), rounded outwards.

    A constant row has equal ends, rounded to the nearest; unless they must be `exact`, in mean.
    """
    ends = np.stack([rows.min(axis=1), rows.max(axis=1)], axis=1)
    rounded = ends.astype(dtype)
    infinity = np.asarray(np.inf, dtype)
    open_ = np.ones(len(ends), bool) if exact else ends[:, 1] - ends[:, 0] >= NARROWEST
    down, up = open_ & (rounded[:, 0] > ends[:, 0]), open_ & (rounded[:, 1] < ends[:, 1])
    np.nextafter(rounded[:, 0], -infinity, out=rounded[:, 0], where=down)
    np.nextafter(rounded[:, 1], infinity, out=rounded[:, 1], where=up)
    rounded[~open_, 1] = rounded[~open_, 0]
    return rounded


def _sent(ends: NDArray[np.floating], size: int) -> NDArray[np.bool_]:
    """Return which groups send symbols: those of unequal ends, and any that is too large to be implied."""
    if size > LARGEST_GROUP:
        return np.ones(len(ends), bool)
    wide = ends.astype(np.float32)
    sent: NDArray[np.bool_] = wide[:, 1] - wide[:, 0] >= NARROWEST
    return sent


def _quantise(rows: Floats, ends: NDArray[np.floating], bits: int, draws: Draws) -> Symbols:
    """Return the symbols; `rows` is overwritten if it is a copy."""
    wide = ends.astype(np.float32)
    span = wide[:, 1] - wide[:, 0]
    levels = np.float32(2**bits - 1)
    per_step = np.divide(levels, span, out=np.zeros_like(span), where=span >= NARROWEST)
    rows = rows - wide[:, :1]
    rows *= per_step[:, None]
    rows += np.float32(0.5) if draws is None else draws.random(rows.shape, np.float32)
    np.minimum(rows, levels, out=rows)
    return rows.astype(np.uint8) if bits <= 8 else rows.astype(np.uint16)
