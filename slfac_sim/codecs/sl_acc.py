"""SL-ACC, our reading: channels of like entropy share a quantiser, and more entropy gets more bits.

The entropy of a channel is mixed with its own past, which the sender keeps for its stream; the message says
what came of it, so that the receiver needs no past.

>>> body = SlAcc(groups=2).sender("up").encode(np.array([[0, 1], [0, 2], [0, 3]], np.float32)).body
>>> len(body), SlAcc().receiver().decode(body)
(42, array([[0.       , 1.       ],
       [0.       , 2.0039215],
       [0.       , 3.       ]], dtype=float32))
"""

import struct
from collections import deque
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.codecs import BadBody, BadTensor, Payload, Sender, State, Tensor
from slfac_sim.codecs.kit.entropy import (
    ENTROPIES,
    Coded,
    Entropy,
    decode_symbols,
    encode_symbols,
    entropy_bits,
)
from slfac_sim.codecs.kit.floats import LARGEST, Floats, Reals
from slfac_sim.codecs.kit.groups import channels_of
from slfac_sim.codecs.kit.packing import Symbols, pack, packed_bytes, unpack
from slfac_sim.codecs.kit.stateless import StatelessReceiver, largest_magnitude
from slfac_sim.codecs.kit.wire import Frame, Sections, framed, unseal
from slfac_sim.foundation.plugins import settings

KIND = "sl_acc"
EntropyOf = Literal["histogram", "min_max", "softmax"]

_SETTINGS = struct.Struct("<BB")  # groups, entropy stage
_BINS = 256
_PAST = 5
_MOST_GROUPS = 16
_LARGEST_CHANNEL = 2**20  # values; a constant channel costs next to nothing: bounds what a body can ask for


@settings
class SlAcc(Coded):
    """Sorts channels into groups by entropy; a group's bits are linear in its entropy.

    The Shannon entropy H of a channel is mixed with its past as S = alpha H + (1 - alpha) mean of its last
    five. Groups are found by k-means. Evaluation leaves the past alone.
    All this is our reading of the paper.
    """

    references: ClassVar[tuple[str, ...]] = ("slacc2025",)
    own_flops: ClassVar[tuple[float, float]] = (740.0, 150.0)
    may_lose_to_zeros: ClassVar[str] = "zero need not be a level of a min-max grid: many zeros, few bits"

    groups: Annotated[int, Field(ge=1, le=_MOST_GROUPS)] = 4
    """Most groups of channels, each with bits, a minimum and a maximum of its own."""
    b_min: Annotated[int, Field(ge=1, le=16)] = 2
    """Bits of a value in the group of least entropy, before the entropy stage."""
    b_max: Annotated[int, Field(ge=1, le=16)] = 8
    """Bits of a value in the group of most entropy, or in the only one, before the entropy stage."""
    alpha: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """Weight of a channel's present entropy against the mean of its past; with 1 the past does not count."""
    entropy_of: EntropyOf = "histogram"
    """Whose Shannon entropy a channel's is: its 256-bin histogram over the message's range (`histogram`) or
    over its own (`min_max`), or the softmax over its values (`softmax`).
    """
    entropy: Entropy = "none"

    def __post_init__(self) -> None:
        if self.b_min > self.b_max:
            raise ValueError(f"b_min must not exceed b_max (got {self.b_min} and {self.b_max})")

    @property
    def bits(self) -> int:
        """About the mean bits of a value."""
        return (self.b_min + self.b_max) // 2

    @property
    def label(self) -> str:
        """The codec's name for people; "our reading", because the formulas are."""
        name = f"SL-ACC (our reading), {self.groups} groups, {self.b_min}..{self.b_max} bits"
        return self.named(name, f"entropy of {self.entropy_of}" if self.entropy_of != "histogram" else "")

    def sender(self, stream: str) -> "_Sender":
        """Return the sending end of `stream`, with a past of its own."""
        return _Sender(self, stream)

    def receiver(self) -> StatelessReceiver:
        """Return the receiving end; it needs nothing but the bytes."""
        return StatelessReceiver(decode)


class _Sender(Sender):
    """Keeps the entropies of the last five training messages of its stream."""

    def __init__(self, codec: SlAcc, stream: str) -> None:
        self._codec = codec
        self._stream = stream
        self._past: deque[Reals] = deque(maxlen=_PAST)

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        largest_magnitude(tensor, self._stream)
        outer, channels, inner = channels_of(tensor.shape)
        if outer * inner > _LARGEST_CHANNEL:
            limits = f"channels of at most {_LARGEST_CHANNEL} values (got shape {list(tensor.shape)})"
            raise BadTensor(f"{self._stream}: expected {limits}")
        apart = np.ascontiguousarray(tensor).reshape(outer, channels, inner).swapaxes(0, 1)
        rows = np.ascontiguousarray(apart).reshape(channels, -1)
        entropies = entropies_of(rows, self._codec.entropy_of)
        mixed = self._mixed(entropies)
        if training:
            self._past.append(entropies)
        label, means = grouped(mixed, self._codec.groups)
        return _write(self._codec, tensor.shape, rows, label, bits_of(means, self._codec))

    def _mixed(self, entropies: Reals) -> Reals:
        if self._past and self._past[-1].shape != entropies.shape:
            self._past.clear()  # another cut: another past
        if not self._past:
            return entropies
        past = np.mean(self._past, axis=0)
        mixed: Reals = self._codec.alpha * entropies + (1 - self._codec.alpha) * past
        return mixed

    def get_state(self) -> State:
        """Return the entropies of the last messages, as a list of each."""
        return {"past": [entropies.tolist() for entropies in self._past]}

    def set_state(self, state: State) -> None:
        self._past = deque(map(np.array, state["past"]), maxlen=_PAST)


def entropies_of(rows: Floats, entropy_of: EntropyOf) -> Reals:
    """Return the Shannon entropy in bits of each of the channels ([channels, values])."""
    least, most = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    if entropy_of == "softmax":
        return _softmax_entropies(rows.astype(np.float64) - most)
    if entropy_of == "histogram":
        least, most = least.min(keepdims=True), most.max(keepdims=True)
    span = most.astype(np.float64) - least
    per_bin = np.divide(_BINS, span, out=np.zeros_like(span), where=span > 0)
    bins = np.minimum((rows.astype(np.float64) - least) * per_bin, _BINS - 1).astype(np.int64)
    bins += _BINS * np.arange(len(rows))[:, None]
    counts = np.bincount(bins.reshape(-1), minlength=_BINS * len(rows)).reshape(-1, _BINS)
    return _entropies(counts / rows.shape[1])


def _entropies(shares: Reals) -> Reals:
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    entropies: Reals = np.maximum(-(shares * logs).sum(axis=1), 0.0)
    return entropies


def _softmax_entropies(below: Reals) -> Reals:
    weights = np.exp(np.maximum(below, -700.0))
    total = weights.sum(axis=1)
    nats = np.log(total) - (weights * np.maximum(below, -700.0)).sum(axis=1) / total
    entropies: Reals = np.maximum(nats / np.log(2), 0.0)
    return entropies


def grouped(values: Reals, groups: int) -> tuple[NDArray[np.uint8], Reals]:
    """Return the group of each of `values` and the groups' means, ascending: k-means on a line.

    It starts from the quantiles, so that nothing is drawn; groups that end up empty are left out.
    """
    centres = np.unique(np.quantile(values, (np.arange(groups) + 0.5) / groups))
    while True:
        label = np.searchsorted((centres[1:] + centres[:-1]) / 2, values, side="right")
        counts = np.bincount(label, minlength=centres.size)
        sums = np.bincount(label, weights=values, minlength=centres.size)
        moved = sums[counts > 0] / counts[counts > 0]
        if moved.size == centres.size and np.allclose(moved, centres, rtol=1e-12, atol=0.0):
            return label.astype(np.uint8), centres
        centres = moved


def bits_of(means: Reals, codec: SlAcc) -> NDArray[np.uint8]:
    """Return the bits of each group: `b_min` for the least entropy, `b_max` for the most, linear between.

    A single group, or groups alike, get `b_max`.
    """
    span = means.max() - means.min()
    share = (means - means.min()) / span if span > 0 else np.ones_like(means)
    return np.rint(codec.b_min + (codec.b_max - codec.b_min) * share).astype(np.uint8)


def _write(
    codec: SlAcc, shape: tuple[int, ...], rows: Floats, label: NDArray[np.uint8], bits: NDArray[np.uint8]
) -> Payload:
    ends = np.empty((bits.size, 2), "<f4")
    blocks, bound_bits = [], 0.0
    for group, width in enumerate(bits.tolist()):
        mine = rows[label == group]
        ends[group] = mine.min(), mine.max()
        if ends[group, 0] < ends[group, 1]:
            symbols = _quantise(mine, ends[group], width)
            blocks.append(("symbols", encode_symbols(symbols, width, codec.entropy)))
            bound_bits += entropy_bits(symbols)
    header = [
        ("widths", bits),
        ("indices", pack(label, _label_bits(bits.size))),
        ("ranges", ends.reshape(-1).view(np.uint8)),
    ]
    settings = _SETTINGS.pack(bits.size, ENTROPIES.index(codec.entropy))
    notes = {"mean_bits": float(bits[label].mean()), "entropy_bound_bytes": bound_bits / 8}
    return framed(KIND, shape, settings, header + blocks, notes)


def _quantise(values: Floats, ends: Floats, bits: int) -> Symbols:
    low, high = ends.astype(np.float64)
    steps = (2**bits - 1) / (high - low)
    scaled: Reals = values.reshape(-1) - low
    scaled *= steps
    scaled += 0.5
    np.clip(scaled, 0, 2**bits - 1, out=scaled)
    return scaled.astype(np.uint8) if bits <= 8 else scaled.astype(np.uint16)


def decode(body: bytes) -> Tensor:
    """Return the tensor of `body`. Raises `BadBody`."""
    frame = unseal(body, KIND)
    outer, channels, inner = channels_of(frame.shape)
    groups, stage = _read_settings(frame, outer * inner)
    sections = Sections(frame.content)
    bits = np.frombuffer(sections.take(groups, "widths"), np.uint8)
    width = _label_bits(groups)
    label = unpack(sections.take(packed_bytes(channels, width), "indices"), channels, width)
    ends = np.frombuffer(sections.take(8 * groups, "ranges"), "<f4").reshape(groups, 2)
    _check_groups(bits, label, ends)
    symbols = []
    for group in range(groups):
        count = int((label == group).sum()) * outer * inner
        sent = ends[group, 0] < ends[group, 1]
        symbols.append(decode_symbols(sections, count, int(bits[group]), stage) if sent else None)
    sections.end(0)
    rows = np.empty((channels, outer * inner), np.float32)
    for group, each in enumerate(symbols):
        mine = label == group
        low, high = ends[group].astype(np.float64)
        step = (high - low) / (2.0 ** int(bits[group]) - 1)
        rows[mine] = low
        if each is not None:
            rows[mine] = (low + step * each).clip(-LARGEST, LARGEST).reshape(int(mine.sum()), -1)
    return np.ascontiguousarray(rows.reshape(channels, outer, inner).swapaxes(0, 1)).reshape(frame.shape)


def _read_settings(frame: Frame, channel_values: int) -> tuple[int, Entropy]:
    groups, stage = frame.unpacked(_SETTINGS)
    if not 1 <= groups <= _MOST_GROUPS or stage >= len(ENTROPIES) or channel_values > _LARGEST_CHANNEL:
        raise BadBody(f"body: {groups} groups, entropy stage {stage}, channels of {channel_values} values")
    return groups, ENTROPIES[stage]


def _check_groups(bits: NDArray[np.uint8], label: NDArray[np.integer], ends: Floats) -> None:
    if bits.min() < 1 or bits.max() > 16 or label.max() >= bits.size:
        raise BadBody("body: a width is not within 1..16 bits, or a channel is in no group")
    if len(np.unique(label)) < bits.size:
        raise BadBody("body: a group has no channels")
    if not np.isfinite(ends).all() or (ends[:, 0] > ends[:, 1]).any():
        raise BadBody("body: the ends of a range are NaN, infinite or in the wrong order")


def _label_bits(groups: int) -> int:
    return max((groups - 1).bit_length(), 1)
