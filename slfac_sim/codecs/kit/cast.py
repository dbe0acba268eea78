"""Values as shorter floats: the bytes of fp16, bf16 and fp8, with the entropy stage behind.

It knows no codec: the type is given. A value beyond the largest of the type becomes the largest.
"""

import math
from typing import get_args

import numpy as np
from numpy.typing import DTypeLike

from slfac_sim.codecs import BadBody, Payload, Tensor
from slfac_sim.codecs.kit.entropy import Entropy, decode_symbols, encode_symbols, entropy_bits
from slfac_sim.codecs.kit.wire import Frame, Sections, framed

_ENTROPIES: tuple[Entropy, ...] = get_args(Entropy)


def payload_of(
    kind: str, tensor: Tensor, dtype: DTypeLike, largest: float, entropy: Entropy, more: bytes = b""
) -> Payload:
    """Return the payload of the values of `tensor`, rounded to the nearest of `dtype`.

    `largest` is the largest magnitude of the type; `more` follows the entropy stage in the settings.
    """
    short = np.clip(tensor, -largest, largest).astype(dtype, order="C").reshape(-1)
    symbols = short.view(f"u{short.itemsize}")
    blocks = [("symbols", encode_symbols(symbols, 8 * short.itemsize, entropy))]
    notes = {"entropy_bound_bytes": entropy_bits(symbols) / 8}
    return framed(kind, tensor.shape, bytes([_ENTROPIES.index(entropy)]) + more, blocks, notes)


def tensor_of(frame: Frame, dtype: DTypeLike, more_bytes: int = 0) -> Tensor:
    """Return the tensor in `frame`, float32. Raises `BadBody`, also for NaN and infinities."""
    settings = frame.settings
    if len(settings) != 1 + more_bytes or settings[0] >= len(_ENTROPIES):
        raise BadBody(f"body: settings {settings.hex()} are not those of {frame.kind}")
    bits = 8 * np.dtype(dtype).itemsize
    sections = Sections(frame.content)
    symbols = decode_symbols(sections, math.prod(frame.shape), bits, _ENTROPIES[settings[0]])
    sections.end(0)
    values = symbols.view(dtype).astype(np.float32).reshape(frame.shape)
    if not np.isfinite(values).all():
        raise BadBody("body: a value is not finite")
    return values
