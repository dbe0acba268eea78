"""TernGrad: every value as -1, 0 or 1 times its group's largest magnitude, right in the mean.

It knows one tensor at a time. Five of the three-valued symbols travel in one byte (3^5 = 243).
"""

import functools
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import BadBody, Codec, Payload, Tensor
from slfac_sim.codecs.kit.entropy import (
    Entropy,
    decode_flops,
    decode_symbols,
    encode_flops,
    encode_symbols,
    entropy_bits,
)
from slfac_sim.codecs.kit.groups import (
    Floats,
    Form,
    HeaderType,
    Scope,
    arrange,
    figures_of,
    grouped,
    largest_of,
    rounded_up,
    sends,
    tensor_of,
    unscaled,
    unusual,
)
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws, StatelessReceiver
from slfac_sim.codecs.kit.wire import Sections, framed, unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import NotNegative, SeedNumber

KIND = "terngrad"
_TRITS = 5  # in a byte
_BYTES = 3**_TRITS  # that are legal
_WEIGHTS = np.array([1, 3, 9, 27, 81], np.uint8)
_TRITS_OF = (np.arange(_BYTES)[:, None] // _WEIGHTS % 3).astype(np.uint8)


@settings
class TernGrad(Codec):
    """x^ = m sgn(x) b with b = 1 with probability |x| / m, else 0; m is the group's largest magnitude.

    First |x| is limited to `clip` standard deviations of the group, 2.5 as the paper has it: less variance,
    but no longer right in the mean. 0 limits nothing. Inference takes the nearer of 0 and m. `seed` is of
    the draws.
    """

    scope: Scope = "tensor"
    clip: NotNegative = 2.5
    entropy: Entropy = "none"
    header_dtype: HeaderType = "float16"
    seed: SeedNumber = 0

    may_lose_to_zeros: ClassVar[str] = "being right in the mean costs variance: sum |x| (m - |x|)"
    references: ClassVar[tuple[str, ...]] = ("wen2017terngrad",)

    @property
    def unbiased(self) -> bool:
        """Whether the mean of what arrives is what was sent."""
        return self.clip == 0.0

    @property
    def label(self) -> str:
        """The codec's name for people."""
        words = ["TernGrad", self.scope]
        words += [f"clipped at {self.clip:g} sigma" if self.clip else "unclipped"]
        return ", ".join([*words, *unusual(self)])

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        return 610.0 + encode_flops(self.entropy, 8) / _TRITS

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return 97.0 + decode_flops(self.entropy, 8) / _TRITS

    def sender(self, stream: str) -> DrawingSender:
        """Return the sending end of `stream`, whose name is in errors and in its draws."""
        return DrawingSender(stream, self.seed, KIND, functools.partial(encode, self))

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


def encode(codec: TernGrad, tensor: Tensor, stream: str, draws: Draws) -> Payload:
    """Return the payload of `tensor`; without `draws`, of nearest levels. Raises `BadTensor`."""
    form, rows = grouped(codec, tensor, stream)
    if codec.clip:
        limits = np.float32(codec.clip) * rows.std(axis=1, keepdims=True)
        rows = np.clip(rows, -limits, limits)
    largest = rounded_up(largest_of(rows), form.dtype)
    sent = sends(largest.astype(np.float32), rows.shape[1])

    trits = _trits(rows[sent], largest[sent], draws).reshape(-1)
    octets = _packed(trits)
    blocks = [("ranges", largest.view(np.uint8)), ("symbols", encode_symbols(octets, 8, codec.entropy))]
    notes = {"entropy_bound_bytes": entropy_bits(trits) / 8}
    return framed(KIND, tensor.shape, form.to_bytes(), blocks, notes)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    frame = unseal(body, KIND)
    form, _ = Form.from_bytes(frame.settings, 0)
    groups, size = arrange(frame.shape, form.scope)
    sections = Sections(frame.content)
    largest = figures_of(sections, form, groups)
    sent = sends(largest, size)
    count = int(sent.sum()) * size
    octets = decode_symbols(sections, -(-count // _TRITS), 8, form.entropy)
    sections.end(0)
    if octets.max(initial=0) >= _BYTES:
        raise BadBody(f"body: a byte of {_TRITS} symbols is not below {_BYTES}")

    trits = np.take(_TRITS_OF, octets, axis=0).reshape(-1)
    if (trits[count:] != 1).any():
        raise BadBody("body: the padding of the symbols is not zero")
    rows = np.zeros((groups, size), np.float32)
    rows[sent] = (trits[:count].reshape(-1, size).astype(np.float32) - np.float32(1)) * largest[sent, None]
    return tensor_of(unscaled(rows, form.exponent), frame.shape, form.scope)


def _trits(rows: Floats, largest: NDArray[np.floating], draws: Draws) -> NDArray[np.uint8]:
    """Return 0, 1 or 2 for -m, 0 and m: floor(x / m + u) + 1, u drawn from [0, 1); a half without draws.

    1 comes last, or it would round u up to 1 now and then, and a zero would become m.
    """
    wide = largest.astype(np.float32)
    levels = rows * np.divide(1, wide, out=np.zeros_like(wide), where=wide > 0)[:, None]
    levels += np.float32(0.5) if draws is None else draws.random(rows.shape, np.float32)
    np.floor(levels, out=levels)
    levels += np.float32(1)
    np.clip(levels, 0, 2, out=levels)
    return levels.astype(np.uint8)


def _packed(trits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    padded = np.ones(-(-trits.size // _TRITS) * _TRITS, np.uint8)
    padded[: trits.size] = trits
    five = padded.reshape(-1, _TRITS)
    octets = np.zeros(len(five), np.uint8)
    for place, weight in enumerate(_WEIGHTS):
        octets += five[:, place] * weight
    return octets
