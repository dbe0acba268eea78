"""Values as shorter floats, the entropy stage behind: what fp16 and bf16 inherit, and fp8 uses.

A value beyond the largest of the type becomes the largest.

>>> import numpy as np
>>> frame = unseal(cast("half", np.array([1.0, 1e9], np.float32), np.float16, 65504.0, "none").body)
>>> values_in(frame, np.float16)
array([1.0000e+00, 6.5504e+04], dtype=float32)
"""

import math
from typing import ClassVar

import numpy as np
from numpy.typing import DTypeLike

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.codecs.kit.entropy import (
    ENTROPIES,
    Coded,
    Entropy,
    decode_symbols,
    encode_symbols,
    entropy_bits,
)
from slfac_sim.codecs.kit.floats import refuse_infinite
from slfac_sim.codecs.kit.stateless import Stateless, largest_magnitude
from slfac_sim.codecs.kit.wire import Frame, Sections, framed, unseal
from slfac_sim.foundation.plugins import kind_of


class Cast(Coded, Stateless):
    """A codec that rounds every value to the nearest of a `dtype` of 16 bits, whose end is `largest`."""

    dtype: ClassVar[DTypeLike]
    largest: ClassVar[float]
    bits: ClassVar[int] = 16

    @property
    def label(self) -> str:
        """The codec's name for people."""
        return self.named(kind_of(self))

    def encode(self, tensor: Tensor, stream: str) -> Payload:
        """Return the payload of `tensor`. Raises `BadTensor`, naming `stream`."""
        largest_magnitude(tensor, stream)
        return cast(kind_of(self), tensor, self.dtype, self.largest, self.entropy)

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`. Raises `BadBody`."""
        return values_in(unseal(body, kind_of(self)), self.dtype)


def cast(
    kind: str, tensor: Tensor, dtype: DTypeLike, largest: float, entropy: Entropy, more: bytes = b""
) -> Payload:
    """Return the payload of the values of `tensor`, rounded to the nearest of `dtype`.

    `largest` is the largest magnitude of the type; `more` follows the entropy stage in the settings.
    """
    short = np.clip(tensor, -largest, largest).astype(dtype, order="C").reshape(-1)
    symbols = short.view(f"u{short.itemsize}")
    blocks = [("symbols", encode_symbols(symbols, 8 * short.itemsize, entropy))]
    notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8}
    return framed(kind, tensor.shape, bytes([ENTROPIES.index(entropy)]) + more, blocks, notes)


def values_in(frame: Frame, dtype: DTypeLike, more_bytes: int = 0) -> Tensor:
    """Return the tensor in `frame`, float32. Raises `BadBody`, also for NaN and infinities."""
    settings = frame.settings
    if len(settings) != 1 + more_bytes or settings[0] >= len(ENTROPIES):
        raise frame.foreign_settings()
    sections = Sections(frame.content)
    bits = 8 * np.dtype(dtype).itemsize
    symbols = decode_symbols(sections, math.prod(frame.shape), bits, ENTROPIES[settings[0]])
    sections.end(0)
    values = symbols.view(dtype).astype(np.float32).reshape(frame.shape)
    refuse_infinite(values)
    return values
