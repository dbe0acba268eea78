"""QSGD: every value as one of a few fractions of its group's norm, drawn so that the mean is right.

It knows one tensor at a time. The groups are the paper's buckets; its Elias code is replaced by the
entropy stage that all codecs share ("ours").
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
    Floats,
    Form,
    HeaderType,
    Scope,
    arrange,
    figures_of,
    grouped,
    largest_of,
    rounded_up,
    sends,
    tensor_of,
    unscaled,
    unusual,
)
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws, StatelessReceiver
from slfac_sim.codecs.kit.wire import Sections, framed, unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import SeedNumber

KIND = "qsgd"


@settings
class Qsgd(Codec):
    """Stochastic quantiser with s = 2^(bits-1) - 1 levels a side of zero.

    x^ = N sgn(x) xi, xi = (l + 1) / s with probability |x| s / N - l, else l / s, where l / s <= |x| / N <
    (l + 1) / s. N is the Euclidean norm of the group (`norm: l2`), or its largest magnitude (`max`), both
    of the paper. Inference takes the nearest level. `seed` is of the draws.
    """

    bits: Annotated[int, Field(ge=2, le=16)] = 4
    scope: Scope = "plane"
    norm: Literal["l2", "max"] = "l2"
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"
    seed: SeedNumber = 0

    unbiased: ClassVar[bool] = True
    may_lose_to_zeros: ClassVar[str] = "being right in the mean costs variance, up to sqrt(n) / s energies"
    references: ClassVar[tuple[str, ...]] = ("alistarh2017qsgd",)

    @property
    def label(self) -> str:
        """The codec's name for people."""
        words = [f"QSGD {self.bits} bit, {self.norm} norm", self.scope]
        return ", ".join([*words, *unusual(self)])

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        return 590.0 + encode_flops(self.entropy, self.bits)

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return 120.0 + decode_flops(self.entropy, self.bits)

    def sender(self, stream: str) -> DrawingSender:
        """Return the sending end of `stream`, whose name is in errors and in its draws."""
        return DrawingSender(stream, self.seed, KIND, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


def encode(codec: Qsgd, tensor: Tensor, stream: str, draws: Draws) -> Payload:
    """Return the payload of `tensor`; without `draws`, of nearest levels. Raises `BadTensor`."""
    form, rows = grouped(codec, tensor, stream)
    figures = rounded_up(_figure(rows, codec.norm), form.dtype)
    sent = sends(figures.astype(np.float32), rows.shape[1])

    norms = _norms(figures, codec.norm, rows.shape[1])
    symbols = _quantise(rows[sent], norms[sent], codec.bits, draws).reshape(-1)
    blocks = [
        ("ranges", figures.view(np.uint8)),
        ("symbols", encode_symbols(symbols, codec.bits, codec.entropy)),
    ]
    extra = bytes([codec.bits, codec.norm == "max"])
    notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8}
    return framed(KIND, tensor.shape, form.to_bytes() + extra, blocks, notes)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    frame = unseal(body, KIND)
    form, (bits, norm) = Form.from_bytes(frame.settings, 2)
    if not 2 <= bits <= 16 or norm > 1:
        raise BadBody(f"body: settings {frame.settings.hex()} are not those of {KIND}")
    groups, size = arrange(frame.shape, form.scope)
    sections = Sections(frame.content)
    figures = figures_of(sections, form, groups)
    sent = sends(figures, size)
    symbols = decode_symbols(sections, int(sent.sum()) * size, bits, form.entropy)
    sections.end(0)

    side = np.float32(2 ** (bits - 1) - 1)
    step = _norms(figures, "max" if norm else "l2", size) / side
    rows = np.zeros((groups, size), np.float32)
    rows[sent] = (symbols.reshape(-1, size).astype(np.float32) - side) * step[sent, None]
    return tensor_of(unscaled(rows, form.exponent), frame.shape, form.scope)


def _figure(rows: Floats, norm: str) -> Floats:
    """Return what the header carries of each row: the root mean square, or the largest magnitude."""
    if norm == "max":
        return largest_of(rows)
    mean_square: Floats = np.einsum("gn,gn->g", rows, rows) / np.float32(rows.shape[1])
    return np.sqrt(mean_square, out=mean_square)


def _norms(figures: NDArray[np.floating], norm: str, size: int) -> Floats:
    """Return the norm of each group of `size` values; the root mean square fits float16, the norm may not."""
    wide: Floats = figures.astype(np.float32)
    return wide if norm == "max" else wide * np.float32(np.sqrt(size))


def _quantise(rows: Floats, norms: Floats, bits: int, draws: Draws) -> Symbols:
    """Return the levels plus s: floor(x s / N + u) + s, u drawn from [0, 1); a half without draws.

    s comes last: added before, it would round u up to 1 now and then, and zeros would not stay zeros.
    """
    side = np.float32(2 ** (bits - 1) - 1)
    per_step = np.divide(side, norms, out=np.zeros_like(norms), where=norms > 0)
    levels = rows * per_step[:, None]
    levels += np.float32(0.5) if draws is None else draws.random(rows.shape, np.float32)
    np.floor(levels, out=levels)
    levels += side
    np.clip(levels, 0.0, 2 * side, out=levels)
    return levels.astype(np.uint8) if bits <= 8 else levels.astype(np.uint16)
