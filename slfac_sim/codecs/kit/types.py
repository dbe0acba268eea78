"""The ends of any codec for tensors of float32, float16 or bfloat16; the same type comes out.

They know no codec: its own ends see float32, which holds the two others exactly, and the frame's form
says which type it was. bfloat16 is that of ml_dtypes, the type that numpy itself does not have.
"""

from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadTensor, Payload, Receiver, Sender
from slfac_sim.codecs.kit.wire import retyped, type_code

Values = NDArray[Any]  # of one of the three types

_TYPES = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))  # by code
_LARGEST = (np.inf, 65504.0, (2.0 - 2.0**-7) * 2.0**127)


@dataclass(frozen=True)
class TypedSender:
    """The encoding end `inner` of `stream`, for values of any of the types."""

    inner: Sender
    stream: str

    def encode(
        self, tensor: Values, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`, naming the stream."""
        if tensor.dtype not in _TYPES:
            wanted = "float32, float16 or bfloat16"
            raise BadTensor(f"{self.stream}: expected a tensor of {wanted} (got {tensor.dtype})")
        payload = self.inner.encode(tensor.astype(np.float32, copy=False), sample_ids, training)
        return replace(payload, body=retyped(payload.body, _TYPES.index(tensor.dtype)))


@dataclass(frozen=True)
class TypedReceiver:
    """The decoding end `inner`, which gives the type that was sent."""

    inner: Receiver

    def decode(self, body: bytes) -> Values:
        """Return the tensor of `body`, in its type. Raises `BadBody`."""
        return in_type(self.inner.decode(body), type_code(body))


def in_type(tensor: NDArray[np.float32], code: int) -> Values:
    """Return `tensor` in the type of `code`; what is beyond its largest value becomes that."""
    dtype = _TYPES[code]
    limit = _LARGEST[code]
    return np.clip(tensor, -limit, limit).astype(dtype) if limit < np.inf else tensor
