"""Error feedback: what a message lost of a sample is added to the sample's next activation.

It wraps another codec. The memory is the sender's alone, belongs to samples, not to places in a batch, and
is float16. A loss is remembered when its message is known to have arrived: one that was lost or cancelled
leaves no trace. Without sample ids, and in evaluation, the inner codec is as if alone.

>>> sender, receiver = ErrorFeedback(codec=TopK(rate=0.5)).sender("up"), ErrorFeedback().receiver()
>>> for _ in range(2):
...     body = sender.encode(np.array([[3.0, 2.0]], np.float32), np.array([7])).body
...     len(body), receiver.decode(body).tolist()
...     sender.confirm(body)
(51, [[3.0, 0.0]])
(51, [[0.0, 4.0]])
"""

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, Codec, Payload, Receiver, Sender, State, Tensor
from slfac_sim.codecs.kit.bodies import support_of
from slfac_sim.codecs.kit.floats import LARGEST, Floats, Mask, rows_of
from slfac_sim.codecs.kit.memory import SampleMemory, check_ids, to_rows, to_values
from slfac_sim.codecs.kit.nested import NestedReceiver, Wrapper, inner_body, wrapped
from slfac_sim.codecs.kit.stateless import largest_magnitude
from slfac_sim.codecs.kit.wire import unseal
from slfac_sim.codecs.topk import TopK
from slfac_sim.foundation.plugins import Plugin, settings

KIND = "error_feedback"


@settings
class ErrorFeedback(Wrapper):
    """Sends x + m through a codec and remembers m = x + m - what arrived, for each sample.

    For the uplink: on the downlink the server knows no sample ids, and nothing is remembered.
    """

    references: ClassVar[tuple[str, ...]] = ("seide2014onebit",)

    remembers_samples: ClassVar[bool] = True
    unfit_for_models: ClassVar[str] = "it remembers samples, and a model is none"

    codec: Annotated[Codec, Plugin("slfac_sim.codecs")] = TopK()

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return f"{self.codec.label}, error feedback"

    @property
    def partner(self) -> str | None:
        """The inner codec's: what that has kept is told by its wrapper too."""
        return self.codec.partner

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value; the sender also decodes what it sends."""
        return 480.0 + self.codec.encode_flops_per_value + self.codec.decode_flops_per_value

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value: those of the inner codec."""
        return self.codec.decode_flops_per_value

    def sender(self, stream: str) -> "_Sender":
        """Return the sending end of `stream`."""
        return _Sender(self, stream)

    def receiver(self) -> "_Receiver":
        """Return the receiving end, which knows nothing of the memory."""
        return _Receiver(self)

    @staticmethod
    def support(body: bytes) -> Mask | None:
        """Return which values `body` carries, as its inner codec tells it. Raises `BadBody`."""
        return support_of(inner_body(body))


class _Receiver(Receiver):
    def __init__(self, codec: ErrorFeedback) -> None:
        self._inner = NestedReceiver(codec.codec)

    def decode(self, body: bytes) -> Tensor:
        frame = unseal(body, KIND)
        tensor = self._inner.decode(bytes(frame.content))
        if frame.settings or tensor.shape != frame.shape:
            raise BadBody(f"body: shape {list(tensor.shape)} inside, expected {list(frame.shape)}")
        return tensor

    def get_state(self) -> State:
        return self._inner.get_state()

    def set_state(self, state: State) -> None:
        self._inner.set_state(state)


class _Sender(Sender):
    """Decodes what it sends, with a receiver of its own, to know what was lost."""

    def __init__(self, codec: ErrorFeedback, stream: str) -> None:
        self._stream = stream
        self._inner = codec.codec.sender(stream)
        self._mirror = NestedReceiver(codec.codec)
        self._memory = SampleMemory()

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor` ([batch, ...]); `sample_ids` name its rows. Raises `BadTensor`."""
        largest_magnitude(tensor, self._stream)
        if sample_ids is None or not training:
            return wrapped(KIND, tensor.shape, b"", self._inner.encode(tensor, sample_ids, training))
        check_ids(sample_ids, rows_of(tensor.shape)[0], self._stream)
        with_memory = self._with_memory(tensor, sample_ids)
        inner = self._inner.encode(with_memory, sample_ids, training)
        with np.errstate(over="ignore"):
            lost = np.clip(with_memory - self._mirror.decode(inner.body), -LARGEST, LARGEST)
        payload = wrapped(KIND, tensor.shape, b"", inner)
        self._memory.sent(payload.body, sample_ids, to_rows(lost.reshape(rows_of(tensor.shape))))
        return payload

    def _with_memory(self, tensor: Tensor, ids: NDArray[np.int64]) -> Floats:
        """Return `tensor` with what each sample has lost before."""
        rows = np.array(tensor, order="C").reshape(rows_of(tensor.shape))
        remembered = self._memory.recall(ids, rows.shape[1])
        known = np.array([row is not None for row in remembered])
        if known.any():
            with np.errstate(over="ignore"):
                rows[known] += to_values([row for row in remembered if row is not None])
        return np.clip(rows, -LARGEST, LARGEST).reshape(tensor.shape)

    def confirm(self, body: bytes) -> None:
        """Remember what `body` lost: it has arrived."""
        self._memory.confirm(body)
        self._inner.confirm(inner_body(body))

    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return `gradient` as the inner sender corrects it: the memory has no part in it."""
        return self._inner.correct(inner_body(asked), gradient)

    def get_state(self) -> State:
        inner = self._inner.get_state() or {}
        return {"memory": self._memory.get_state(), "inner": inner, "mirror": self._mirror.get_state()}

    def set_state(self, state: State) -> None:
        self._memory.set_state(state["memory"])
        self._mirror.set_state(state["mirror"])
        self._inner.set_state(state["inner"])
