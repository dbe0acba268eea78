"""The codec that sends every value as float16 (IEEE 754 binary16): two bytes, or fewer if entropy-coded.

It knows no groups and no scale; values below 2^-25 become zero.
"""

import functools

import numpy as np

from slfac_sim.codecs import Codec, Payload, Tensor
from slfac_sim.codecs.kit.cast import payload_of, tensor_of
from slfac_sim.codecs.kit.entropy import Entropy, decode_flops, encode_flops
from slfac_sim.codecs.kit.stateless import StatelessReceiver, StatelessSender, largest_magnitude
from slfac_sim.codecs.kit.wire import unseal
from slfac_sim.foundation.plugins import settings

KIND = "fp16"
_LARGEST = 65504.0


@settings
class Fp16(Codec):
    """Rounds every value to the nearest float16; magnitudes beyond 65504 become that."""

    entropy: Entropy = "none"

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return "fp16" if self.entropy == "none" else f"fp16, {self.entropy}"

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        return 580.0 + encode_flops(self.entropy, 16)

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return 330.0 + decode_flops(self.entropy, 16)

    def sender(self, stream: str) -> StatelessSender:
        """Return the sending end of `stream`, whose name appears in errors only."""
        return StatelessSender(stream, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


def encode(codec: Fp16, tensor: Tensor, stream: str) -> Payload:
    """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
    largest_magnitude(tensor, stream)
    return payload_of(KIND, tensor, np.float16, _LARGEST, codec.entropy)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    return tensor_of(unseal(body, KIND), np.float16)
