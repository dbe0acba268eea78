"""EasyQuant: the few values far from the mean stay floats, the rest share a fine symmetric grid.

It knows one tensor at a time. The paper quantises weights by channel; `scope` lets other groups do it.
"""

import functools
import struct
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs import BadBody, Codec, Payload, Tensor
from slfac_sim.codecs._easy import best_steps, quantise, residuals, side_of
from slfac_sim.codecs.kit.entropy import (
    Entropy,
    decode_flops,
    decode_symbols,
    encode_flops,
    encode_symbols,
    entropy_bits,
    least_bytes,
)
from slfac_sim.codecs.kit.groups import (
    Floats,
    Form,
    HeaderType,
    Scope,
    arrange,
    figures_of,
    grouped,
    invertible,
    largest_of,
    sends,
    some_of,
    tensor_of,
    unscaled,
    unusual,
)
from slfac_sim.codecs.kit.sparse import Mask, read_places, write_places
from slfac_sim.codecs.kit.stateless import StatelessReceiver, StatelessSender
from slfac_sim.codecs.kit.wire import Sections, framed, unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Positive

KIND = "easyquant"
_MORE = struct.Struct("<BI")
_FEWEST, _SAMPLE = 1024, 2**16  # values of a group and of a message in the search


@settings
class EasyQuant(Codec):
    """Values with |x - mean| >= `sigmas` standard deviations of the group are sent as float16, with places.

    The others are s q, q = round(x / s) limited to -(2^(bits-1) - 1) .. 2^(bits-1) - 1, where the step s of
    the group minimises their squared error (golden section between a fifth of max |x| / (2^(bits-1) - 1)
    and 1.05 of it, on at least 1,024 values of the group).
    """

    bits: Annotated[int, Field(ge=2, le=16)] = 8
    scope: Scope = "channel"
    sigmas: Positive = 3.0
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"

    references: ClassVar[tuple[str, ...]] = ("tang2024easyquant",)

    @property
    def label(self) -> str:
        """The codec's name for people."""
        words = [f"EasyQuant {self.bits} bit", self.scope, f"{self.sigmas:g} sigma"]
        return ", ".join([*words, *unusual(self)])

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        search = 700.0 if self.scope == "plane" else 0.0  # of all values, or else each group had a few
        return 900.0 + search + encode_flops(self.entropy, self.bits)

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


def encode(codec: EasyQuant, tensor: Tensor, stream: str) -> Payload:
    """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
    form, rows = grouped(codec, tensor, stream)
    apart = _outliers(rows, codec.sigmas)
    count = int(apart.sum())
    floats = rows[apart].astype("<f2")

    rest = np.where(apart, np.float32(0), rows)
    side = side_of(codec.bits)
    steps = invertible(_steps(rest, side)).astype(form.dtype)
    sent = sends(steps.astype(np.float32), rows.shape[1])
    symbols = quantise(rest[sent], steps[sent, None].astype(np.float32), side)[~apart[sent]]

    blocks = [
        ("ranges", steps.view(np.uint8)),
        ("indices", write_places(apart.reshape(1, -1), count)),
        ("symbols", encode_symbols(symbols, codec.bits, codec.entropy)),
        ("symbols", floats.view(np.uint8)),
    ]
    notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8, "outliers": count / tensor.size}
    extra = _MORE.pack(codec.bits, count)
    return framed(KIND, tensor.shape, form.to_bytes() + extra, blocks, notes)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    frame = unseal(body, KIND)
    form, extra = Form.from_bytes(frame.settings, _MORE.size)
    bits, count = _MORE.unpack(extra)
    groups, size = arrange(frame.shape, form.scope)
    if not 2 <= bits <= 16 or count > groups * size:
        raise BadBody(f"body: settings {frame.settings.hex()} are not those of {KIND}")
    sections = Sections(frame.content)
    steps = figures_of(sections, form, groups)
    sent = sends(steps, size)
    least = least_bytes(max(0, int(sent.sum()) * size - count), bits, form.entropy) + 2 * count
    if least > len(sections.rest) or steps.min() < 0:
        raise BadBody("body: content ends early, or a step is negative")

    apart = read_places(sections, 1, groups * size, count).reshape(groups, size)
    inside = ~apart[sent]
    symbols = decode_symbols(sections, int(inside.sum()), bits, form.entropy)
    floats = np.frombuffer(sections.take(2 * count, "symbols"), "<f2").astype(np.float32)
    sections.end(0)
    if not np.isfinite(floats).all():
        raise BadBody("body: a value is not finite")

    some = np.zeros(inside.shape, np.float32)
    some[inside] = symbols.astype(np.float32) - np.float32(side_of(bits))
    rows = np.zeros((groups, size), np.float32)
    rows[sent] = some * steps[sent, None]
    rows[apart] = floats
    return tensor_of(unscaled(rows, form.exponent), frame.shape, form.scope)


def _outliers(rows: Floats, sigmas: float) -> Mask:
    """Return which values stay floats; none of a constant group."""
    mean, sigma = rows.mean(axis=1, keepdims=True), rows.std(axis=1, keepdims=True)
    limit = np.where(sigma > 0, np.float32(sigmas) * sigma, np.float32(np.inf))
    apart: Mask = np.abs(rows - mean) >= limit
    return apart


def _steps(rows: Floats, side: int) -> Floats:
    """Return the step of every row with the least squared error."""
    return best_steps(
        largest_of(rows), side, functools.partial(_errors, some_of(rows, _FEWEST, _SAMPLE), side)
    )


def _errors(rows: Floats, side: int, steps: Floats) -> Floats:
    """Return the squared error of every row with its step of `steps`."""
    rest = residuals(rows, steps[:, None], side)
    errors: Floats = np.einsum("gn,gn->g", rest, rest)
    return errors
