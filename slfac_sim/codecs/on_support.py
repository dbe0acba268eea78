"""Gradients on the kept support only: an answer carries what the message that it answers has kept.

It wraps another codec, for the downlink. Which values a top-k or SplitFC message has kept is in its bytes,
which both ends hold: places cost nothing on the way back. The answer names the message by its checksum, so
that an end which follows another message refuses it.

>>> from slfac_sim.codecs.topk import TopK
>>> asked = TopK(rate=0.5).sender("up").encode(np.array([[3.0, 2.0, 4.0, 1.0]], np.float32)).body
>>> sender, receiver = OnSupport().sender("down"), OnSupport().receiver()
>>> sender.follow(asked), receiver.follow(asked)
(None, None)
>>> body = sender.encode(np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)).body
>>> len(body), receiver.decode(body)
(49, array([[0.1, 0. , 0.3, 0. ]], dtype=float32))
"""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, Codec, End, Payload, Receiver, Sender, State, Tensor
from slfac_sim.codecs.kit.bodies import support_of
from slfac_sim.codecs.kit.floats import Mask, rows_of
from slfac_sim.codecs.kit.nested import NestedReceiver, Wrapper, inner_body, wrapped
from slfac_sim.codecs.kit.stateless import largest_magnitude
from slfac_sim.codecs.kit.wire import framed, unseal
from slfac_sim.codecs.raw import Raw
from slfac_sim.foundation.plugins import Plugin, settings

KIND = "on_support"
_NAME_BYTES = 4  # settings are the asked body's checksum, its last bytes; none: the answer stands alone


@settings
class OnSupport(Wrapper):
    """Sends the values that the answered message has kept, as [samples, kept of each].

    Where there is no such message, or its codec keeps all, the whole tensor is sent. What is not sent is zero
    at the other end: exactly so, since no value depends on what was dropped.
    """

    unfit_for_models: ClassVar[str] = "it answers other messages, and a model answers none"

    codec: Annotated[Codec, Plugin("slfac_sim.codecs")] = Raw()

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return f"{self.codec.label}, on the support"

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs of one value of the tensor; as if all were sent, so at most too many."""
        return 60.0 + self.codec.encode_flops_per_value

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs of one value of the tensor; as if all were sent, so at most too many."""
        return 100.0 + self.codec.decode_flops_per_value

    def sender(self, stream: str) -> "_Sender":
        """Return the sending end of `stream`."""
        return _Sender(self.codec, stream)

    def receiver(self) -> "_Receiver":
        """Return the receiving end."""
        return _Receiver(self.codec)


class _End(End):
    """What both ends know: the checksum of the message that is answered next, and what it has kept."""

    def __init__(self) -> None:
        self.asked = b""
        self.support: Mask | None = None

    def follow(self, asked: bytes) -> None:
        self.asked, self.support = asked[-_NAME_BYTES:], support_of(asked)


class _Sender(_End, Sender):
    def __init__(self, codec: Codec, stream: str) -> None:
        super().__init__()
        self._stream = stream
        self._inner = codec.sender(stream)

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        largest_magnitude(tensor, self._stream)
        shape = rows_of(tensor.shape)
        support, self.support = self.support, None
        if support is None or support.shape != shape:
            return wrapped(KIND, tensor.shape, b"", self._inner.encode(tensor, sample_ids, training))
        kept = np.ascontiguousarray(tensor).reshape(shape)[support].reshape(shape[0], -1)
        if kept.size == 0:
            return framed(KIND, tensor.shape, self.asked, [])
        return wrapped(KIND, tensor.shape, self.asked, self._inner.encode(kept, sample_ids, training))

    def confirm(self, body: bytes) -> None:
        self._inner.confirm(inner_body(body))

    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return `gradient` as the inner sender corrects it, where `asked` is its message alone."""
        frame = unseal(asked, KIND)
        return gradient if frame.settings else self._inner.correct(bytes(frame.content), gradient)

    def get_state(self) -> State:
        """Return the memory of the inner sender; the message followed is no state between exchanges."""
        return self._inner.get_state() or {}

    def set_state(self, state: State) -> None:
        self._inner.set_state(state)


class _Receiver(_End, Receiver):
    def __init__(self, codec: Codec) -> None:
        super().__init__()
        self._inner = NestedReceiver(codec)

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`. Raises `BadBody`, also if `body` answers another message."""
        frame = unseal(body, KIND)
        if not frame.settings:
            return self._inside(frame.content, frame.shape)
        shape = rows_of(frame.shape)
        if self.support is None or self.support.shape != shape or frame.settings != self.asked:
            raise BadBody("body: it answers a message that this end does not follow")
        tensor = np.zeros(shape, np.float32)
        kept = int(self.support.sum()) // shape[0]
        if kept:
            tensor[self.support] = self._inside(frame.content, (shape[0], kept)).reshape(-1)
        elif frame.content:
            raise BadBody("body: values for an empty support")
        return tensor.reshape(frame.shape)

    def _inside(self, content: memoryview, shape: tuple[int, ...]) -> Tensor:
        tensor = self._inner.decode(bytes(content))
        if tensor.shape != shape:
            raise BadBody(f"body: shape {list(tensor.shape)} inside, expected {list(shape)}")
        return tensor

    def get_state(self) -> State:
        return self._inner.get_state()

    def set_state(self, state: State) -> None:
        self._inner.set_state(state)
