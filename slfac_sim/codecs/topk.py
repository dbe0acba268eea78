"""Top-k: of each sample only the values of largest magnitude, and where they stand.

It knows one tensor at a time; what is not sent is zero at the other end. The gradient of the server can be
sent on the same places (`on_support`).
"""

import functools
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.codecs import Backward, Codec, Payload, Tensor
from slfac_sim.codecs.kit.floats import FloatType, rows_of
from slfac_sim.codecs.kit.sparse import (
    Mask,
    at_places,
    decode_sparse,
    kept_count,
    largest,
    read_sparse,
    write_sparse,
)
from slfac_sim.codecs.kit.stateless import StatelessReceiver, StatelessSender, largest_magnitude
from slfac_sim.codecs.kit.wire import unseal
from slfac_sim.foundation.plugins import settings

KIND = "topk"


@settings
class TopK(Codec):
    """Keeps, per sample, k = round(`rate` d) of its d values, at least one; ties go to the first."""

    partner: ClassVar[str | None] = "on_support"
    backward: ClassVar[Backward] = "linear"
    references: ClassVar[tuple[str, ...]] = ("zheng2023topk",)
    encode_flops_per_value: ClassVar[float] = 260.0
    decode_flops_per_value: ClassVar[float] = 170.0

    rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    values: FloatType = "float16"

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return f"top-k, {self.rate:g} of the values in {self.values}"

    def sender(self, stream: str) -> "_Sender":
        """Return the sending end of `stream`, whose name appears in errors only."""
        return _Sender(stream, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


class _Sender(StatelessSender):
    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return `gradient` on the values that `asked` has kept: no other has had an effect."""
        return at_places(asked, KIND, gradient)


def encode(codec: TopK, tensor: Tensor, stream: str) -> Payload:
    """Return the payload of `tensor` (any shape; [batch, ...] keeps k of each sample). Raises `BadTensor`."""
    largest_magnitude(tensor, stream)
    samples, values = rows_of(tensor.shape)
    magnitudes = np.abs(np.ascontiguousarray(tensor).reshape(samples, values))
    return write_sparse(KIND, tensor, largest(magnitudes, kept_count(codec.rate, values)), codec.values)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    return decode_sparse(body, KIND)


def support(body: bytes) -> Mask:
    """Return which values `body` carries ([samples, values of one]). Raises `BadBody`."""
    return read_sparse(unseal(body, KIND))[0]
