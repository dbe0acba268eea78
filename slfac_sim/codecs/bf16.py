"""The codec that sends every value as bfloat16, float32 less its last 16 bits: two bytes, or fewer if coded.

It knows no groups and no scale: the range is that of float32, the precision 8 bits.
"""

import functools

import ml_dtypes

from slfac_sim.codecs import Codec, Payload, Tensor
from slfac_sim.codecs.kit.cast import payload_of, tensor_of
from slfac_sim.codecs.kit.entropy import Entropy, decode_flops, encode_flops
from slfac_sim.codecs.kit.stateless import StatelessReceiver, StatelessSender, largest_magnitude
from slfac_sim.codecs.kit.wire import unseal
from slfac_sim.foundation.plugins import settings

KIND = "bf16"
_LARGEST = (2.0 - 2.0**-7) * 2.0**127


@settings
class Bf16(Codec):
    """Rounds every value to the nearest bfloat16; magnitudes beyond its largest value become that."""

    entropy: Entropy = "none"

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return "bf16" if self.entropy == "none" else f"bf16, {self.entropy}"

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        return 270.0 + encode_flops(self.entropy, 16)

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return 56.0 + decode_flops(self.entropy, 16)

    def sender(self, stream: str) -> StatelessSender:
        """Return the sending end of `stream`, whose name appears in errors only."""
        return StatelessSender(stream, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


def encode(codec: Bf16, tensor: Tensor, stream: str) -> Payload:
    """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
    largest_magnitude(tensor, stream)
    return payload_of(KIND, tensor, ml_dtypes.bfloat16, _LARGEST, codec.entropy)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    return tensor_of(unseal(body, KIND), ml_dtypes.bfloat16)
