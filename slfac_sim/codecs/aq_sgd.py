"""AQ-SGD: after a sample's first visit, only the quantised change of its activation is sent.

Both ends remember each sample's last activation in float16. A message names its samples and, for each, the
checksum of the row that its change starts from; a sender starts from rows whose arrival is confirmed, and
sends all others in full. So a lost or cancelled message costs bytes, never exactness.

>>> sender, receiver = AqSgd().sender("up"), AqSgd().receiver()
>>> first = sender.encode(np.ones((1, 64), np.float32), np.array([7])).body
>>> float(receiver.decode(first)[0, 0])
1.0
>>> sender.confirm(first)
>>> change = sender.encode(np.full((1, 64), 1.5, np.float32), np.array([7])).body
>>> len(first), len(change), float(receiver.decode(change)[0, 0])
(155, 66, 1.46875)
"""

import struct
import zlib
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from slfac_sim.codecs import BadBody, Payload, Receiver, Sender, State, Tensor
from slfac_sim.codecs.kit import memory
from slfac_sim.codecs.kit.entropy import (
    ENTROPIES,
    Coded,
    Entropy,
    decode_symbols,
    encode_symbols,
    entropy_bits,
)
from slfac_sim.codecs.kit.floats import Floats, Mask, from_halves, read_halves, rounded, rows_of, write_floats
from slfac_sim.codecs.kit.memory import Ids, Row
from slfac_sim.codecs.kit.packing import Symbols
from slfac_sim.codecs.kit.sparse import read_bitmap
from slfac_sim.codecs.kit.stateless import largest_magnitude
from slfac_sim.codecs.kit.wire import Frame, Sections, framed, unseal
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream as random_stream
from slfac_sim.foundation.units import SeedNumber

KIND = "aq_sgd"
_SETTINGS = struct.Struct("<BBB")  # bits, entropy stage, whether samples are named


@settings
class AqSgd(Coded):
    """Sends the change of a sample since its last visit, on levels up to its largest magnitude.

    First visits go in float16. It needs sample ids, and saves bytes only where samples come again: without
    ids, and in evaluation, every message is float16.
    """

    references: ClassVar[tuple[str, ...]] = ("wang2022aqsgd",)
    own_flops: ClassVar[tuple[float, float]] = (1050.0, 690.0)  # of a change; first visits take less
    remembers_samples: ClassVar[bool] = True
    unfit_for_models: ClassVar[str] = "it remembers samples, and a model is none"

    bits: Annotated[int, Field(ge=2, le=8)] = 4
    """Bits of a value of a change, before the entropy stage."""
    rounding: Literal["nearest", "stochastic"] = "nearest"
    """Whether a change goes to the `nearest` level, or up or down by chance so that its mean is right
    (`stochastic`), on levels of which the outermost are then the largest magnitude itself.
    """
    entropy: Entropy = "none"
    seed: SeedNumber = 0
    """Added to `seed.learning` of the scenario; the sum is what draws start from."""

    @property
    def label(self) -> str:
        """The codec's name for people."""
        rounding = self.rounding if self.rounding != "nearest" else ""
        return self.named(f"AQ-SGD, changes in {self.bits} bits", rounding)

    def sender(self, stream: str) -> "_Sender":
        """Return the sending end of `stream`, which names its draws."""
        return _Sender(self, stream)

    def receiver(self) -> "_Receiver":
        """Return the receiving end; what it remembers comes from the bytes alone."""
        return _Receiver()


@dataclass(frozen=True)
class _Parts:
    """One message: which rows are changes, from which rows they start, and what is sent of either sort."""

    ids: Ids | None
    is_change: Mask
    starts: NDArray[np.uint32]
    full: Floats
    scales: Floats
    symbols: Symbols


class _Sender(Sender):
    def __init__(self, codec: AqSgd, stream: str) -> None:
        self._codec = codec
        self._stream = stream
        self._memory = memory.SampleMemory()
        self._messages = 0

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor` ([batch, ...]); `sample_ids` name its rows. Raises `BadTensor`."""
        largest_magnitude(tensor, self._stream)
        rows = np.ascontiguousarray(tensor).reshape(rows_of(tensor.shape))
        ids = sample_ids if training else None
        if ids is None:
            known: list[Row | None] = [None] * len(rows)
        else:
            memory.check_ids(ids, len(rows), self._stream)
            known = self._memory.recall(ids, rows.shape[1])
        parts = self._parts(rows, ids, known)
        payload = _write(self._codec, tensor.shape, parts)
        if ids is not None:
            self._messages += 1
            as_read = replace(parts, full=rounded(parts.full))
            arrived = _arrived(rows.shape, as_read, known, self._codec.bits)
            self._memory.sent(payload.body, ids, arrived)
        return payload

    def _parts(self, rows: Floats, ids: Ids | None, known: list[Row | None]) -> _Parts:
        is_change = np.array([row is not None for row in known])
        bases = [row for row in known if row is not None]
        starts = np.array([checksum(row) for row in bases], np.uint32)
        if not bases:
            empty = np.empty(0, np.float32)
            return _Parts(ids, is_change, starts, rows, empty, np.empty(0, np.uint8))
        rng = None
        if self._codec.rounding == "stochastic":
            rng = random_stream(self._codec.seed, f"{self._stream}/{KIND}", self._messages)
        scales, symbols = quantise_changes(rows[is_change], memory.to_values(bases), self._codec.bits, rng)
        return _Parts(ids, is_change, starts, rows[~is_change], scales, symbols)

    def confirm(self, body: bytes) -> None:
        self._memory.confirm(body)

    def get_state(self) -> State:
        return {"messages": self._messages, "memory": self._memory.get_state()}

    def set_state(self, state: State) -> None:
        self._messages = int(state["messages"])
        self._memory.set_state(state["memory"])


class _Receiver(Receiver):
    """Holds, of each sample, the row that the last change started from and the one it led to."""

    def __init__(self) -> None:
        self._used: dict[int, Row] = {}
        self._newest: dict[int, Row] = {}

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`.

        Raises `BadBody`, and changes nothing, also for a change that starts from a row not held here.
        """
        frame = unseal(body, KIND)
        bits, parts = _read(frame)
        shape = rows_of(frame.shape)
        known = self._starts(parts, shape[1])
        rows = _arrived(shape, parts, known, bits)
        if parts.ids is not None:
            self._remember(parts.ids, known, rows)
        return memory.to_values(rows).reshape(frame.shape)

    def _starts(self, parts: _Parts, values: int) -> list[Row | None]:
        known: list[Row | None] = [None] * len(parts.is_change)
        ids = np.empty(0, np.int64) if parts.ids is None else parts.ids[parts.is_change]
        places = np.flatnonzero(parts.is_change).tolist()
        for place, sample, wanted in zip(places, ids.tolist(), parts.starts.tolist(), strict=True):
            held = (self._newest.get(sample), self._used.get(sample))
            fits = [row for row in held if row is not None and row.halves.size == values]
            known[place] = next((row for row in fits if checksum(row) == wanted), None)
            if known[place] is None:
                raise BadBody(f"body: the change of sample {sample} starts from a row that is not held here")
        return known

    def _remember(self, ids: Ids, known: list[Row | None], rows: list[Row]) -> None:
        for sample, base, row in zip(ids.tolist(), known, rows, strict=True):
            self._newest[sample] = row
            self._used.pop(sample, None)
            if base is not None:
                self._used[sample] = base

    def get_state(self) -> State:
        return {"used": memory.pack_rows(self._used), "newest": memory.pack_rows(self._newest)}

    def set_state(self, state: State) -> None:
        self._used, self._newest = memory.unpack_rows(state["used"]), memory.unpack_rows(state["newest"])


def checksum(row: Row) -> int:
    """Return the CRC-32 of a remembered row: its float16 and its exponent."""
    octets = np.ascontiguousarray(row.halves, "<f2").tobytes()
    return zlib.crc32(octets, row.exponent & 255)


def quantise_changes(
    rows: Floats, bases: Floats, bits: int, rng: np.random.Generator | None
) -> tuple[Floats, Symbols]:
    """Return the scale of each row and the symbols ([all values]) of rows - bases.

    Levels are (q + 1/2 - 2^(bits-1)) s / 2^(bits-1), as in the code of the paper: none of them is zero. The
    scale s is max|change|; with drawn roundings (`rng`) so much more that the outermost levels are there,
    and what is drawn between two levels is right in the mean.
    """
    half = 1 << (bits - 1)
    with np.errstate(over="ignore", under="ignore"):
        changes = np.clip(rows - bases, -_LARGEST_CHANGE, _LARGEST_CHANGE)
        scales: Floats = np.abs(changes).max(axis=1).astype(np.float32)
        if rng is not None:
            scales = np.minimum(scales * np.float32(half / (half - 0.5)), np.float32(_LARGEST_CHANGE))
        steps = (scales / np.float32(half))[:, None]
        changes = np.divide(changes, steps, out=np.zeros_like(changes), where=steps > 0)
    if rng is not None:
        changes += rng.random(changes.shape, np.float32) - np.float32(0.5)
    symbols = np.clip(np.floor(changes), -half, half - 1).astype(np.int16) + half
    return scales, symbols.astype(np.uint8).reshape(-1)


_LARGEST_CHANGE = float(np.finfo(np.float32).max)


def _arrived(shape: tuple[int, int], parts: _Parts, known: list[Row | None], bits: int) -> list[Row]:
    """Return the rows as the other end has and remembers them after this message.

    `parts` are as that end reads them: a float16 that was rounded up to a power of two is written otherwise
    the second time.
    """
    rows = np.empty(shape, np.float32)
    rows[~parts.is_change] = parts.full
    bases = [row for row in known if row is not None]
    if bases:
        half = 1 << (bits - 1)
        changes = parts.symbols.astype(np.float32).reshape(len(bases), -1) - np.float32(half - 0.5)
        changes *= (parts.scales / np.float32(half))[:, None]
        with np.errstate(over="ignore"):
            rows[parts.is_change] = np.clip(
                memory.to_values(bases) + changes, -_LARGEST_CHANGE, _LARGEST_CHANGE
            )
    return memory.to_rows(rows)


def _write(codec: AqSgd, shape: tuple[int, ...], parts: _Parts) -> Payload:
    settings = _SETTINGS.pack(codec.bits, ENTROPIES.index(codec.entropy), parts.ids is not None)
    blocks = []
    if parts.ids is not None:
        blocks = [("indices", parts.ids.astype("<u4").view(np.uint8))]
        blocks += [("state", np.packbits(parts.is_change, bitorder="little"))]
        blocks += [("state", parts.starts.astype("<u4").view(np.uint8))]
    blocks += [("ranges", parts.scales.astype("<f4").view(np.uint8))]
    blocks += [("symbols", write_floats(parts.full, "float16"))]
    notes = {"changes_fraction": float(parts.is_change.mean())}
    if parts.symbols.size:
        blocks += [("symbols", encode_symbols(parts.symbols, codec.bits, codec.entropy))]
        notes["entropy_bound_bytes"] = entropy_bits(parts.symbols) / 8
    return framed(KIND, shape, settings, blocks, notes)


def _read(frame: Frame) -> tuple[int, _Parts]:
    bits, stage, named = frame.unpacked(_SETTINGS)
    if not 2 <= bits <= 8 or stage >= len(ENTROPIES) or named > 1:
        raise BadBody(f"body: {bits} bits, entropy stage {stage} or flag {named} is unknown")
    samples, values = rows_of(frame.shape)
    if len(frame.content) < samples:
        raise BadBody(f"body: {len(frame.content)} bytes of content for {samples} samples")
    sections = Sections(frame.content)
    nobody = (None, np.zeros(samples, np.bool_), np.empty(0, np.uint32))
    ids, is_change, starts = _read_names(sections, samples) if named else nobody
    changed = int(is_change.sum())
    scales = np.frombuffer(sections.take(4 * changed, "ranges"), "<f4").astype(np.float32)
    if not (scales >= 0).all() or not np.isfinite(scales).all():
        raise BadBody("body: the range of a change is negative, NaN or infinite")
    full = from_halves(*read_halves(sections, samples - changed, values))
    symbols: Any = np.empty(0, np.uint8)
    if changed:
        symbols = decode_symbols(sections, changed * values, bits, ENTROPIES[stage])
    sections.end(0)
    return bits, _Parts(ids, is_change, starts, full, scales, symbols)


def _read_names(sections: Sections, samples: int) -> tuple[Ids, Mask, NDArray[np.uint32]]:
    ids = np.frombuffer(sections.take(4 * samples, "indices"), "<u4").astype(np.int64)
    if len(np.unique(ids)) < samples:
        raise BadBody("body: a sample is named twice")
    is_change = read_bitmap(sections, samples, "state")
    octets = sections.take(4 * int(is_change.sum()), "state")
    starts = np.frombuffer(octets, "<u4").astype(np.uint32)
    return ids, is_change, starts
