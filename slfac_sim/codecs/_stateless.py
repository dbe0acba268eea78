"""Both ends of a stream for codecs without memory, and the check that every tensor passes first.

It knows no codec. Cached matrices of shapes are no memory: they change no byte.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadTensor, Payload, Tensor
from slfac_sim.codecs._wire import MAX_DIMENSIONS, MAX_VALUES


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
