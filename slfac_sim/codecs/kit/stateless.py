"""Both ends of a stream for codecs without memory, and the check that every tensor passes first.

It knows no codec. Cached matrices of shapes are no memory: they change no byte.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadTensor, Payload, Tensor
from slfac_sim.codecs.kit.wire import MAX_DIMENSIONS, MAX_VALUES
from slfac_sim.foundation import streams

Draws = np.random.Generator | None  # None: no random choice, as in inference


@dataclass(frozen=True)
class StatelessSender:
    """The encoding end of `stream`, whose every message stands alone."""

    stream: str
    encoder: Callable[[Tensor, str], Payload]

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor`; `sample_ids` and `training` change nothing here."""
        return self.encoder(tensor, self.stream)


@dataclass
class DrawingSender:
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

    def get_state(self) -> Mapping[str, Any]:
        """Return the number of training messages so far."""
        return {"messages": self.messages}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on as the sender that gave `state` would."""
        self.messages = int(state["messages"])


@dataclass(frozen=True)
class StatelessReceiver:
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
        found = f"{tensor[place]} at {list(place)} of a tensor of shape {list(tensor.shape)}"
        raise BadTensor(f"{stream}: only finite values can be encoded (got {found})")
    return largest
