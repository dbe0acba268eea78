"""The codec that compresses nothing: float32 as it is, little-endian, four bytes a value.

>>> body = Raw().sender("up").encode(np.array([0.5, -2.0], np.float32)).body
>>> len(body), Raw().receiver().decode(body)
(22, array([ 0.5, -2. ], dtype=float32))
"""

import math
from typing import ClassVar

import numpy as np

from slfac_sim.codecs import BadBody, Payload, Tensor
from slfac_sim.codecs.kit.stateless import Stateless, largest_magnitude
from slfac_sim.codecs.kit.wire import Sections, framed, unseal
from slfac_sim.foundation.plugins import settings

KIND = "raw"


@settings
class Raw(Stateless):
    """Sends the float32 values themselves, exactly; takes any shape of up to eight dimensions."""

    label: ClassVar[str] = "raw fp32"
    encode_flops_per_value: ClassVar[float] = 74.0
    decode_flops_per_value: ClassVar[float] = 56.0

    def encode(self, tensor: Tensor, stream: str) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
        largest_magnitude(tensor, stream)
        octets = np.ascontiguousarray(tensor, "<f4").reshape(-1).view(np.uint8)
        return framed(KIND, tensor.shape, b"", [("symbols", octets)])

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`, bit for bit. Raises `BadBody`."""
        frame = unseal(body, KIND)
        values = math.prod(frame.shape)
        if frame.settings or len(frame.content) != 4 * values:
            raise BadBody(f"body: {len(frame.content)} bytes of content for {values} float32 values")
        content = Sections(frame.content).take(4 * values, "symbols")
        return np.frombuffer(content, "<f4").astype(np.float32).reshape(frame.shape)
