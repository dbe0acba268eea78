"""SplitFC: columns of features are dropped by their spread, and the rest pass a quantiser with a bit budget.

A *column* is one feature over the batch. It knows one tensor at a time; drops are drawn anew for every
training message. FC-SL, a rival in SL-FAC's paper, is read as the variant that drops nothing by chance.

>>> codec = SplitFc(variant="fc_sl", reduction=3.0, quantiser="float16")
>>> body = codec.sender("up").encode(np.array([[1, 2, 3], [1, 5, 3.5]], np.float32)).body
>>> len(body), codec.receiver().decode(body)
(30, array([[0., 2., 0.],
       [0., 5., 0.]], dtype=float32))
"""

import functools
import struct
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from slfac_sim.codecs import Backward, BadBody, BadTensor, Payload, Sender, State, Tensor
from slfac_sim.codecs._splitfc import columns as columns_of
from slfac_sim.codecs.kit.floats import LARGEST, Floats, Mask, Reals, read_floats, rows_of, write_floats
from slfac_sim.codecs.kit.groups import channels_of
from slfac_sim.codecs.kit.memory import Awaited
from slfac_sim.codecs.kit.sparse import MOST_VALUES_A_KEPT_ONE, read_places, write_places
from slfac_sim.codecs.kit.stateless import DrawingSender, Draws, Stateless, largest_magnitude
from slfac_sim.codecs.kit.wire import Frame, Sections, framed, seal, unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import SeedNumber

KIND = "splitfc"
_SETTINGS = struct.Struct("<BI")  # quantiser, number of kept columns
_QUANTISERS = ("float16", "two_stage")
_MOST_SAMPLES = 2**13  # a dropped column costs a bit: bounds what a short body can ask for


@settings
class SplitFc(Stateless):
    """Keeps some columns of features; the others arrive as zeros."""

    partner: ClassVar[str | None] = "on_support"
    backward: ClassVar[Backward] = "linear"
    references: ClassVar[tuple[str, ...]] = ("oh2023splitfc",)
    may_lose_to_zeros: ClassVar[str] = "kept columns are divided by their chance, or sent as their mean"

    variant: Literal["splitfc", "fc_sl"] = "splitfc"
    """With `splitfc` columns are kept by chance, the more the wider they spread, and divided by their chance:
    unbiased, but for columns without spread, whose chance is 0 unless the formula lifts all; evaluation drops
    none, as dropout does. `fc_sl` always keeps those of the largest spread (both ours).
    """
    reduction: Annotated[float, Field(ge=1.0, le=1024.0)] = 8.0
    """One of so many columns is kept (in the mean, where chance decides), R of the paper."""
    bits_per_value: Annotated[float, Field(gt=0.0, le=32.0)] = 0.5
    """Budget of the two-stage quantiser in bits per value of the whole tensor, for everything in the message;
    one that not even the fewest levels meet is exceeded.
    """
    quantiser: Literal["two_stage", "float16"] = "two_stage"
    """What kept columns pass: `two_stage` of the paper, or `float16`, with which there is no budget."""
    seed: SeedNumber = 0
    """Added to `seed.learning` of the scenario; the sum is what draws start from."""

    @property
    def encode_flops_per_value(self) -> float:
        """Equivalent FLOPs to encode one value."""
        return 500.0 if self.quantiser == "two_stage" else 240.0

    @property
    def decode_flops_per_value(self) -> float:
        """Equivalent FLOPs to decode one value."""
        return 200.0 if self.quantiser == "two_stage" else 100.0

    @property
    def unbiased(self) -> bool:
        """Whether the mean over all drops is the tensor: not where the quantiser rounds to the nearest."""
        return self.variant == "splitfc" and self.quantiser == "float16"

    @property
    def label(self) -> str:
        """The codec's name for people; FC-SL is "our reading", because the paper describes it in a word."""
        name = "SplitFC" if self.variant == "splitfc" else "FC-SL (our reading)"
        rest = f"{self.bits_per_value:g} bits" if self.quantiser == "two_stage" else "float16"
        return f"{name}, 1 of {self.reduction:g} columns, {rest}"

    def sender(self, stream: str) -> Sender:
        """Return the sending end of `stream`, which names its draws."""
        return _Sender(self, stream)

    def encode(self, tensor: Tensor, stream: str, draws: Draws = None) -> Payload:
        """Return the payload of `tensor` ([batch, ...]); without `draws`, nothing is dropped by chance."""
        return encode(self, tensor, stream, draws)[0]

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`: the kept columns, and zeros. Raises `BadBody`."""
        frame = unseal(body, KIND)
        samples, values = rows_of(frame.shape)
        sections = Sections(frame.content)
        quantiser, count, kept = _read_kept(frame, sections)
        rows = np.empty((samples, 0), np.float32)
        if quantiser == "float16" and count:
            sections.end(1 + 2 * samples * count)
            rows = read_floats(sections, 1, samples * count, "float16").reshape(samples, count)
        elif count:
            rows = columns_of.read(sections, samples, count)
        sections.end(0)
        tensor = np.zeros((samples, values), np.float32)
        tensor[:, kept] = rows
        return tensor.reshape(frame.shape)

    @staticmethod
    def support(body: bytes) -> Mask:
        """Return which values `body` carries ([samples, values of one]): whole columns. Raises `BadBody`."""
        frame = unseal(body, KIND)
        _, _, kept = _read_kept(frame, Sections(frame.content))
        return np.repeat(kept[None, :], rows_of(frame.shape)[0], axis=0)


class _Sender(DrawingSender):
    """Knows by what it has multiplied the columns of its messages until these are answered."""

    def __init__(self, codec: SplitFc, stream: str) -> None:
        super().__init__(stream, codec.seed, KIND, functools.partial(self._encode, codec))
        self._awaited = Awaited()

    def _encode(self, codec: SplitFc, tensor: Tensor, stream: str, draws: Draws) -> Payload:
        payload, factors = encode(codec, tensor, stream, draws)
        if draws is not None:
            self._awaited.put(payload.body, factors)
        return payload

    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return `gradient` times what `asked` has multiplied each column by, which is 0 if it was dropped.

        Raises `LookupError` for a message that this end did not send, or has given up as lost.
        """
        factors = self._awaited.take(asked)
        if factors is None:
            raise LookupError(f"{self.stream}: a gradient answers a message that is not waited for")
        with np.errstate(over="ignore"):
            product: Floats = gradient.reshape(rows_of(gradient.shape)) * factors
        return product.clip(-LARGEST, LARGEST).reshape(gradient.shape)

    def get_state(self) -> State:
        return {**super().get_state(), "awaited": self._awaited.get_state()}

    def set_state(self, state: State) -> None:
        super().set_state(state)
        self._awaited.set_state(state["awaited"])


def encode(codec: SplitFc, tensor: Tensor, stream: str, draws: Draws) -> tuple[Payload, Floats]:
    """Return the payload of `tensor` ([batch, ...]), and by what each of its columns was multiplied.

    Without `draws` nothing is dropped by chance. Raises `BadTensor`.
    """
    magnitude = largest_magnitude(tensor, stream)
    if rows_of(tensor.shape)[0] > _MOST_SAMPLES:
        limits = f"at most {_MOST_SAMPLES} samples (got shape {list(tensor.shape)})"
        raise BadTensor(f"{stream}: expected {limits}")
    whole = np.ascontiguousarray(tensor)
    kept, chances = _choice(codec, spreads(whole, magnitude), draws)
    rows = whole.reshape(rows_of(tensor.shape))[:, kept].astype(np.float64) / chances[kept]
    scaled = np.clip(rows, -LARGEST, LARGEST).astype(np.float32)
    factors = np.zeros(kept.size, np.float32)
    factors[kept] = np.minimum(1.0 / chances[kept], LARGEST)
    return _write(codec, tensor.shape, kept, scaled), factors


def _choice(codec: SplitFc, spread: Reals, draws: Draws) -> tuple[Mask, Reals]:
    """Return which columns are sent, and with what chance each of them was kept."""
    certain = np.ones(spread.size)
    if codec.variant == "fc_sl":
        return widest(spread, codec.reduction), certain
    if draws is None:
        return np.ones(spread.size, np.bool_), certain
    chances = keep_chances(spread, codec.reduction)
    return draws.random(spread.size) < chances, chances


def spreads(tensor: Tensor, magnitude: float) -> Reals:
    """Return the standard deviation over the batch of every column, after min-max scaling of its channel.

    Features without a map ([batch, features]) are scaled as one channel, or every one would have the same
    range (ours).
    """
    rows = tensor.reshape(rows_of(tensor.shape)) / np.float32(magnitude or 1.0)
    outer, channels, inner = (1, 1, tensor.size) if tensor.ndim < 3 else channels_of(tensor.shape)
    apart = rows.reshape(outer, channels, inner)
    ranges = apart.max(axis=(0, 2)) - apart.min(axis=(0, 2))
    per_column = np.resize(np.repeat(ranges, inner), rows.shape[1]) if channels > 1 else ranges
    relative: Reals = np.zeros(rows.shape[1])
    np.divide(rows.std(axis=0), per_column, out=relative, where=per_column > 0)
    return relative


def keep_chances(spread: Reals, reduction: float) -> Reals:
    """Return with what chance each column is kept: (s_i + C) D / sum_j (s_j + C), D = columns / reduction.

    C is the least constant that keeps every chance at or below one. Their sum is D.
    """
    columns = spread.size
    kept = columns / reduction
    total = spread.sum()
    if kept == columns or total == 0:
        return np.full(columns, 1 / reduction)
    lift = max(0.0, (kept * spread.max() - total) / (columns - kept))
    chances: Reals = np.minimum((spread + lift) * kept / (total + columns * lift), 1.0)
    return chances


def widest(spread: Reals, reduction: float) -> Mask:
    """Return the round(columns / reduction) columns of largest spread, at least one; ties go to the first."""
    count = max(1, round(spread.size / reduction), -(-spread.size // MOST_VALUES_A_KEPT_ONE))
    kept = np.zeros(spread.size, np.bool_)
    kept[np.argsort(-spread, kind="stable")[:count]] = True
    return kept


def _write(codec: SplitFc, shape: tuple[int, ...], kept: Mask, rows: Floats) -> Payload:
    count = rows.shape[1]
    settings = _SETTINGS.pack(_QUANTISERS.index(codec.quantiser), count)
    blocks = [("indices", write_places(kept[None, :], count))]
    notes = {"kept_fraction": count / kept.size}
    if count == 0:
        return framed(KIND, shape, settings, blocks, notes)
    if codec.quantiser == "float16":
        blocks.append(("symbols", write_floats(rows.reshape(1, -1), "float16")))
        return framed(KIND, shape, settings, blocks, notes)
    spent_bytes = len(seal(KIND, shape, settings, [])) + blocks[0][1].size
    budget_bits = codec.bits_per_value * len(rows) * kept.size - 8 * spent_bytes
    more, two_stage = columns_of.write(rows, budget_bits)
    return framed(KIND, shape, settings, blocks + more, notes | {"two_stage_fraction": two_stage / count})


def _read_kept(frame: Frame, sections: Sections) -> tuple[str, int, Mask]:
    quantiser, count = frame.unpacked(_SETTINGS)
    samples, values = rows_of(frame.shape)
    if quantiser >= len(_QUANTISERS) or count > values or samples > _MOST_SAMPLES:
        raise BadBody(f"body: {count} of {values} columns of {samples} samples, or quantiser {quantiser}")
    if values > MOST_VALUES_A_KEPT_ONE * max(count, 1):
        raise BadBody(f"body: {values} columns, {count} of them kept")
    return _QUANTISERS[quantiser], count, read_places(sections, 1, values, count)[0]
