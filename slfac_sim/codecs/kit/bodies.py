"""Bodies of any codec: ends for float32, float16 and bfloat16, and what a body alone tells.

A codec's own ends see float32, which holds the two others exactly; the frame's form says which type it was.
bfloat16 is that of ml_dtypes, the type that numpy itself does not have.

>>> import numpy as np
>>> from slfac_sim.codecs.raw import Raw
>>> body = TypedSender(Raw(), "up").encode(np.ones((2, 3), np.float16)).body
>>> decode(body).dtype, support_of(body)
(dtype('float16'), None)
"""

from dataclasses import replace
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, BadTensor, Codec, Payload
from slfac_sim.codecs.kit.wire import retyped, type_code, unseal
from slfac_sim.foundation import plugins

Values = NDArray[Any]  # of one of the three types

_TYPES = (np.dtype(np.float32), np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16))  # by code
_SHIPPED: dict[str, type[Codec]] = {}  # once found: a look into the folder takes a millisecond
_LARGEST = (np.inf, 65504.0, (2.0 - 2.0**-7) * 2.0**127)


class TypedSender:
    """A new encoding end of `stream` for values of any of the types."""

    def __init__(self, codec: Codec, stream: str) -> None:
        self._stream = stream
        self._sender = codec.sender(stream)

    def encode(
        self, tensor: Values, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`, naming the stream."""
        if tensor.dtype not in _TYPES:
            wanted = "float32, float16 or bfloat16"
            raise BadTensor(f"{self._stream}: expected a tensor of {wanted} (got {tensor.dtype})")
        payload = self._sender.encode(tensor.astype(np.float32, copy=False), sample_ids, training)
        return replace(payload, body=retyped(payload.body, _TYPES.index(tensor.dtype)))


class TypedReceiver:
    """A new decoding end, which gives the type that was sent."""

    def __init__(self, codec: Codec) -> None:
        self._receiver = codec.receiver()

    def decode(self, body: bytes) -> Values:
        """Return the tensor of `body`, in its type. Raises `BadBody`."""
        return _in_type(self._receiver.decode(body), type_code(body))


def decode(body: bytes) -> Values:
    """Return the tensor of `body`, in the type that was sent; needs only the bytes.

    For a body of any shipped codec without memory, or the first of one with memory; the frame names the
    codec. Raises `BadBody`, also for a codec that is not shipped: a body must not choose which foreign module
    is imported.
    """
    kind = unseal(body).kind
    codec = shipped(kind)
    if codec is None:
        raise BadBody(f"body: made by codec {kind!r}, which is not one of ours")
    return TypedReceiver(codec()).decode(body)


def support_of(body: bytes) -> NDArray[np.bool_] | None:
    """Return which values `body` carries ([samples, values of one]), as its codec tells it from the bytes.

    None for all of them, and for a codec that is not shipped. Raises `BadBody`.
    """
    codec = shipped(unseal(body).kind)
    return None if codec is None else codec.support(body)


def shipped(kind: str) -> type[Codec] | None:
    """Return the codec `kind` if it is one of ours."""
    if kind not in _SHIPPED and kind in plugins.kinds("slfac_sim.codecs"):
        _SHIPPED[kind] = plugins.find("slfac_sim.codecs", kind)
    return _SHIPPED.get(kind)


def _in_type(tensor: NDArray[np.float32], code: int) -> Values:
    """Return `tensor` in the type of `code`; what is beyond its largest value becomes that."""
    limit = _LARGEST[code]
    return np.clip(tensor, -limit, limit).astype(_TYPES[code]) if limit < np.inf else tensor
