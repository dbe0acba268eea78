"""Gradients on the kept support only: an answer carries what the message that it answers has kept.

It wraps another codec, for the downlink. Which values a top-k or SplitFC message has kept is in its bytes,
which both ends hold: places cost nothing on the way back. The answer names the message by its checksum, so
that an end which follows another message refuses it.
"""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import Backward, BadBody, Codec, Payload, Tensor
from slfac_sim.codecs.kit.floats import rows_of
from slfac_sim.codecs.kit.nested import NestedReceiver, refuse_wrappers, wrapped
from slfac_sim.codecs.kit.pairs import Checkpointed, Confirms, State, correct, support_of
from slfac_sim.codecs.kit.stateless import largest_magnitude
from slfac_sim.codecs.kit.wire import framed, unseal
from slfac_sim.codecs.raw import Raw
from slfac_sim.foundation.plugins import Plugin, settings

KIND = "on_support"
Mask = NDArray[np.bool_]
_NAME_BYTES = 4  # settings are the asked body's checksum, its last bytes; none: the answer stands alone


@settings
class OnSupport(Codec):
    """Sends through `codec` the values that the answered message has kept, as [samples, kept of each].

    Where there is no such message, or its codec keeps all, the whole tensor is sent. What is not sent is
    zero at the other end: exactly so, since no value depends on what was dropped.
    """

    codec: Annotated[Codec, Plugin("slfac_sim.codecs")] = Raw()

    def __post_init__(self) -> None:
        refuse_wrappers(self.codec)

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return f"{self.codec.label}, on the support"

    @property
    def backward(self) -> Backward:
        """As the inner codec's."""
        return self.codec.backward

    @property
    def may_lose_to_zeros(self) -> str:
        """Why the error may exceed the tensor's energy: the inner codec's reason; none if that has none."""
        return self.codec.may_lose_to_zeros

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


class _End:
    """What both ends know: the checksum of the message that is answered next, and what it has kept."""

    def __init__(self) -> None:
        self.asked = b""
        self.support: Mask | None = None

    def follow(self, asked: bytes) -> None:
        """Take the next message to be the answer to the body `asked`."""
        self.asked, self.support = asked[-_NAME_BYTES:], support_of(asked)


class _Sender(_End):
    def __init__(self, codec: Codec, stream: str) -> None:
        super().__init__()
        self._stream = stream
        self._inner = codec.sender(stream)

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`."""
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
        """Let the inner sender know that the other end has decoded `body`."""
        if isinstance(self._inner, Confirms):
            self._inner.confirm(bytes(unseal(body, KIND).content))

    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return `gradient` as the inner sender corrects it, where `asked` is its message alone."""
        frame = unseal(asked, KIND)
        return gradient if frame.settings else correct(self._inner, bytes(frame.content), gradient)

    def get_state(self) -> State:
        """Return the memory of the inner sender; the message followed is no state between exchanges."""
        return self._inner.get_state() if isinstance(self._inner, Checkpointed) else {}

    def set_state(self, state: State) -> None:
        """Go on as the sender that gave `state` would."""
        if isinstance(self._inner, Checkpointed):
            self._inner.set_state(state)


class _Receiver(_End):
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
        """Return the memory of the inner receiver."""
        return self._inner.get_state()

    def set_state(self, state: State) -> None:
        """Take the memory of `get_state`."""
        self._inner.set_state(state)
