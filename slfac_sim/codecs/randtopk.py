"""RandTopk: top-k in which now and then another value takes the place of one of the largest.

The places are drawn anew for every message while training; in evaluation it is plain top-k. What is not
sent is zero at the other end, and what is sent is sent as it is: the result is biased, as the paper has it.
"""

import functools
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs import Backward, Codec, Payload, Tensor
from slfac_sim.codecs.kit.floats import Floats, FloatType, rows_of
from slfac_sim.codecs.kit.sparse import (
    Mask,
    at_places,
    decode_sparse,
    kept_count,
    largest,
    read_sparse,
    write_sparse,
)
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws, StatelessReceiver, largest_magnitude
from slfac_sim.codecs.kit.wire import unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import SeedNumber

KIND = "randtopk"
_LEAST = np.float32(1e-30)


@settings
class RandTopK(Codec):
    """Draws k = round(`rate` d) values of each sample, one after the other, without replacement.

    Each of the k largest has the weight (1 - `alpha`)/k, every other one `alpha`/(d - k). `seed` starts the
    draws, which the receiver need not know.
    """

    partner: ClassVar[str | None] = "on_support"
    backward: ClassVar[Backward] = "linear"
    references: ClassVar[tuple[str, ...]] = ("zheng2023topk",)
    encode_flops_per_value: ClassVar[float] = 930.0
    decode_flops_per_value: ClassVar[float] = 210.0

    rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    alpha: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    values: FloatType = "float16"
    seed: SeedNumber = 0

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return f"RandTopk, {self.rate:g} of the values in {self.values}, alpha {self.alpha:g}"

    def sender(self, stream: str) -> "_Sender":
        """Return the sending end of `stream`, which names its draws."""
        return _Sender(stream, self.seed, KIND, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


class _Sender(DrawingSender):
    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return `gradient` on the values that `asked` has kept: no other has had an effect."""
        return at_places(asked, KIND, gradient)


def encode(codec: RandTopK, tensor: Tensor, stream: str, draws: Draws) -> Payload:
    """Return the payload of `tensor` (any shape); without `draws`, of plain top-k. Raises `BadTensor`."""
    largest_magnitude(tensor, stream)
    samples, values = rows_of(tensor.shape)
    count = kept_count(codec.rate, values)
    magnitudes = np.abs(np.ascontiguousarray(tensor).reshape(samples, values))
    mask = largest(magnitudes, count)
    if draws is not None:
        mask = drawn(mask, count, codec.alpha, draws)
    return write_sparse(KIND, tensor, mask, codec.values)


def drawn(top: Mask, count: int, alpha: float, rng: np.random.Generator) -> Mask:
    """Return `count` places of each row, drawn one by one by weight; `top` are the `count` largest.

    Exponential waiting times of rate w: the first `count` to arrive are such a draw (Efraimidis and
    Spirakis, 2006, doi:10.1016/j.ipl.2005.11.003).
    """
    rest = top.shape[1] - count
    if rest == 0 or alpha == 0.0:
        return top
    speeds: Floats = np.where(top, np.float32((1 - alpha) / count), np.float32(alpha / rest))
    speeds /= np.maximum(rng.standard_exponential(top.shape, dtype=np.float32), _LEAST)
    return largest(speeds, count)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    return decode_sparse(body, KIND)


def support(body: bytes) -> Mask:
    """Return which values `body` carries ([samples, values of one]). Raises `BadBody`."""
    return read_sparse(unseal(body, KIND))[0]
