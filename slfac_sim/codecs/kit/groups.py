"""Which values share one header, and how a message is scaled; what quantising codecs have in common.
 A *group* is what shares one range: the whole `tensor`, a `channel` over the batch,
or a `plane` (one sample, one channel). Channels are the second axis of [B, C, h, w] and the last of token
tensors [B, T, D] and of features [B, D]; of features a plane is the sample. Other shapes with one
dimension are one group; with five or more they have channels where images have them.

>>> arrange((64, 3, 14, 14), "plane"), arrange((64, 10), "channel")
((192, 196), (10, 64))
>>> rows, exponent = scaled(np.array([[0.5, -3.0]], np.float32), "up")
>>> rows.tolist(), exponent, unscaled(rows, exponent)
([[4096.0, -24576.0]], 13, array([[ 0.5, -3. ]], dtype=float32))
"""

import math
import struct
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from slfac_sim.codecs import BadBody, Tensor
from slfac_sim.codecs.kit.entropy import ENTROPIES, Entropy
from slfac_sim.codecs.kit.floats import Floats
from slfac_sim.codecs.kit.stateless import largest_magnitude
from slfac_sim.codecs.kit.wire import Sections

Scope = Literal["tensor", "channel", "plane"]
HeaderType = Literal["float16", "float32"]

NARROWEST = 2.0**-100  # a range narrower than this is sent as constant: its step could not be inverted
LARGEST_GROUP = 2**20  # a larger group always sends symbols: bounds what a header alone can ask for
_TOP = 15  # the largest magnitude of a message is scaled to [2^14, 2^15]: inside float16, far from its ends
_EXPONENTS = (_TOP - 128, _TOP + 149)  # of the largest and of the smallest float32
_LARGEST_FIGURE = 2.0**30  # the norm of MAX_VALUES values of 2^15, and then some
_DANGER = _TOP + 30 - 128  # below this exponent, 2^30 and its like would leave float32 when scaled back
_FORM = struct.Struct("<Bh")
_SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Form:
    """What the frame says for decoding: groups, type of header figures, entropy stage, power of two."""

    scope: Scope
    header_dtype: HeaderType
    entropy: Entropy
    exponent: int

    def to_bytes(self) -> bytes:
        """Return the three bytes with which the frame's settings begin."""
        flags = _SCOPES.index(self.scope) | (self.header_dtype == "float32") << 2
        return _FORM.pack(flags | ENTROPIES.index(self.entropy) << 3, self.exponent)

    @classmethod
    def from_bytes(cls, settings: bytes) -> tuple["Form", bytes]:
        """Return the form, and what follows it in `settings`. Raises `BadBody`."""
        if len(settings) < _FORM.size:
            raise BadBody(f"body: {len(settings)} bytes of settings, expected at least {_FORM.size}")
        flags, exponent = _FORM.unpack_from(settings)
        scope, entropy = flags & 3, flags >> 3
        if scope >= len(_SCOPES) or entropy >= len(ENTROPIES):
            raise BadBody(f"body: settings {settings.hex()} are unknown")
        if not _EXPONENTS[0] <= exponent <= _EXPONENTS[1]:
            raise BadBody(f"body: an exponent of {exponent} is out of range")
        header: HeaderType = "float32" if flags & 4 else "float16"
        return cls(_SCOPES[scope], header, ENTROPIES[entropy], exponent), settings[_FORM.size :]

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Type of a figure in the header, little-endian."""
        return np.dtype("<f4" if self.header_dtype == "float32" else "<f2")


def arrange(shape: tuple[int, ...], scope: Scope) -> tuple[int, int]:
    """Return (groups, values of a group) of a message of `shape`."""
    values = math.prod(shape)
    if scope == "tensor" or len(shape) < 2:
        return 1, values
    last = len(shape) <= 3
    groups = shape[-1] if last else shape[1]
    if scope == "plane":
        groups = shape[0] if len(shape) == 2 else shape[0] * groups
    return groups, values // groups


def channels_of(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (outer, channels, inner) so that a tensor of `shape`, reshaped to it, has its channels apart.

    Fewer than two dimensions are one channel.
    """
    if len(shape) < 2:
        return 1, 1, math.prod(shape)
    if len(shape) < 4:
        return math.prod(shape[:-1]), shape[-1], 1
    return shape[0], shape[1], math.prod(shape[2:])


def rows_of(tensor: Tensor, scope: Scope) -> Floats:
    """Return `tensor` as [groups, values of a group]; a view where the order allows one."""
    groups, size = arrange(tensor.shape, scope)
    return tensor.transpose(_axes(tensor.ndim, scope)).reshape(groups, size)


def tensor_of(rows: Floats, shape: tuple[int, ...], scope: Scope) -> Tensor:
    """Return the tensor of `shape` whose rows are `rows`; the inverse of `rows_of`."""
    axes = _axes(len(shape), scope)
    turned = rows.reshape([shape[axis] for axis in axes])
    whole = np.ascontiguousarray(turned.transpose(np.argsort(axes)))
    return whole.reshape(shape)  # numpy makes [1] of a single number


def _axes(dimensions: int, scope: Scope) -> list[int]:
    """Return the order of axes in which the values of a group are neighbours."""
    axes = list(range(dimensions))
    if scope == "tensor" or dimensions < 2 or (scope == "plane" and dimensions != 3):
        return axes
    if scope == "plane":
        return [0, 2, 1]
    channel = dimensions - 1 if dimensions <= 3 else 1
    return [channel, *(axis for axis in axes if axis != channel)]


def scaled(tensor: Tensor, stream: str) -> tuple[Floats, int]:
    """Return a copy of `tensor` times 2^e, its largest magnitude in [2^14, 2^15), and e; exact.

    So figures of a header fit into float16 whatever the units of the tensor. Zeros have e = 0. Raises
    `BadTensor`, naming `stream`.
    """
    largest = largest_magnitude(tensor, stream)
    exponent = _TOP - math.frexp(largest)[1] if largest > 0 else 0
    return times_power(np.array(tensor, np.float32, order="C"), exponent), exponent


def unscaled(rows: Floats, exponent: int) -> Floats:
    """Return `rows` times 2^-e, in place; what would leave float32 becomes its largest."""
    if exponent < _DANGER:
        limit = np.ldexp(np.finfo(np.float32).max, exponent)
        np.clip(rows, -limit, limit, out=rows)
    return times_power(rows, -exponent)


def largest_of(rows: Floats) -> Floats:
    """Return the largest magnitude of every row [groups]."""
    return np.asarray(np.maximum(rows.max(axis=1), -rows.min(axis=1)))


def times_power(values: Floats, exponent: int) -> Floats:
    """Multiply `values` in place by 2^exponent, in two steps: one alone may be beyond float32."""
    for part in (exponent // 2, exponent - exponent // 2):
        if part:
            values *= np.float32(2.0**part)
    return values


def invertible(figures: Floats) -> Floats:
    """Return `figures`, zero where their inverse would be too large for float32, or almost."""
    return np.where(figures < NARROWEST, np.float32(0), figures)


def rounded_up(figures: Floats, dtype: DTypeLike) -> NDArray[np.floating]:
    """Return `figures` in `dtype`, none of them below itself but those that are not `invertible`."""
    figures = invertible(figures)
    rounded = figures.astype(dtype)
    above = np.nextafter(rounded, np.asarray(np.inf, rounded.dtype))
    return np.where(rounded < figures, above, rounded)


def rounded_ends(
    smallest: Floats, largest: Floats, dtype: DTypeLike, exact: bool = False
) -> NDArray[np.floating]:
    """Return the ends of ranges as a header carries them (one axis more than `smallest`, of `dtype`).

    Rounded outwards, so that no value lies outside and every error stays below half a step. Ends that are
    equal (or next to it) are both rounded to the nearest, and stay equal, unless they must be `exact`.
    """
    open_ = np.asarray(exact | (largest - smallest >= NARROWEST))
    outwards = np.array([-smallest, np.where(open_, largest, smallest)])  # so that outwards is up for both
    rounded = outwards.astype(dtype)
    infinity = np.asarray(np.inf, rounded.dtype)
    np.nextafter(rounded, infinity, out=rounded, where=open_ & (rounded < outwards))
    ends = np.empty((*open_.shape, 2), rounded.dtype)
    np.negative(rounded[0], out=ends[..., 0])
    ends[..., 1] = rounded[1]
    return ends


def figures_of(sections: Sections, form: Form, *shape: int) -> Floats:
    """Return the figures of a header at the front of `sections` ([shape]), all finite and of legal size.

    Raises `BadBody`: no encoder writes a figure above 2^30.
    """
    block = sections.take(math.prod(shape) * form.dtype.itemsize, "ranges")
    figures = np.frombuffer(block, form.dtype).astype(np.float32).reshape(shape)
    if not np.abs(figures).max() <= _LARGEST_FIGURE:
        raise BadBody("body: a figure of a header is not finite or out of range")
    return figures


def sends(largest: Floats, size: int) -> NDArray[np.bool_]:
    """Return which groups of `size` values send symbols ([groups]); `largest` are magnitudes of theirs.

    Those of zeros do not, unless they are too large to be implied by a header.
    """
    return np.asarray((largest > 0) | (size > LARGEST_GROUP))


def some_of(rows: Floats, least: int, most: int) -> Floats:
    """Return columns of `rows` at equal distances: about `most` values, at least `least` of each row."""
    stride = max(1, min(rows.size // most, rows.shape[1] // least))
    return rows[:, :: stride - 1 + stride % 2] if stride > 1 else rows
