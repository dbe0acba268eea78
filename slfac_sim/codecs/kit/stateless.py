"""What a codec without memory inherits, its ends, and the check that every tensor passes first.

Cached matrices of shapes are no memory: they change no byte.

>>> import numpy as np
>>> largest_magnitude(np.array([1.5, -2.0], np.float32), "d000/up")
2.0
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadTensor, Codec, Payload, Receiver, Sender, State, Tensor
from slfac_sim.codecs.kit.wire import MAX_DIMENSIONS, MAX_VALUES
from slfac_sim.foundation import streams

Draws = np.random.Generator | None  # None: no random choice, as in inference


class Stateless(Codec):
    """A codec whose every message stands alone: it gives `encode` and `decode`, and the ends follow.

    One that draws opens a `DrawingSender` instead, and its `encode` takes the draws as well.
    """

    @abstractmethod
    def encode(self, tensor: Tensor, stream: str) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""

    @abstractmethod
    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`, which tells all that is needed. Raises `BadBody`."""

    def sender(self, stream: str) -> Sender:
        """Return the sending end of `stream`, whose name appears in errors only."""
        return StatelessSender(stream, self.encode)

    def receiver(self) -> Receiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(self.decode)


@dataclass(frozen=True)
class StatelessSender(Sender):
    """The encoding end of `stream`, whose every message stands alone."""

    stream: str
    encoder: Callable[[Tensor, str], Payload]

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor`; `sample_ids` and `training` change nothing here."""
        return self.encoder(tensor, self.stream)


@dataclass
class DrawingSender(Sender):
    """The encoding end of `stream` for codecs without memory that choose at random in training.

    The draws of a message depend on `seed`, stream, `purpose` and the number of the message, which is all
    that is counted.
    """

    stream: str
    seed: int
    purpose: str
    encoder: Callable[[Tensor, str, Draws], Payload]
    messages: int = 0

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor`; `training=False` makes no random choice."""
        name = f"{self.stream}/{self.purpose}"
        draws = streams.stream(self.seed, name, self.messages) if training else None
        payload = self.encoder(tensor, self.stream, draws)
        self.messages += training
        return payload

    def get_state(self) -> State:
        """Return the number of training messages so far."""
        return {"messages": self.messages}

    def set_state(self, state: State) -> None:
        """Go on as the sender that gave `state` would."""
        self.messages = int(state["messages"])


@dataclass(frozen=True)
class StatelessReceiver(Receiver):
    """The decoding end of any stream of the codec."""

    decoder: Callable[[bytes], Tensor]

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`. Raises `BadBody`."""
        return self.decoder(body)


def largest_magnitude(tensor: Tensor, stream: str) -> float:
    """Return max |x| of `tensor`, which is then known to be one that can be encoded.

    Raises `BadTensor`, naming `stream`, for another type than float32, for no values or too many, and
    for NaN or infinity, with the place of the first.
    """
    if tensor.dtype != np.float32:
        raise BadTensor(f"{stream}: expected a float32 tensor (got {tensor.dtype})")
    if not 0 < tensor.size <= MAX_VALUES or tensor.ndim > MAX_DIMENSIONS:
        limits = f"1 to {MAX_VALUES} values in at most {MAX_DIMENSIONS} dimensions"
        raise BadTensor(f"{stream}: expected {limits} (got shape {list(tensor.shape)})")
    largest = max(float(tensor.max()), -float(tensor.min()))
    if not np.isfinite(largest):
        place = tuple(int(index) for index in np.argwhere(~np.isfinite(tensor))[0])
        got = f"{tensor[place]} at {list(place)} of a tensor of shape {list(tensor.shape)}"
        raise BadTensor(f"{stream}: only finite values can be encoded (got {got})")
    return largest
