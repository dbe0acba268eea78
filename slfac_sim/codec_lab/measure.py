"""A codec on a tensor: bits, squared error, CPU time of both ends; and a body: its bytes by purpose."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.codecs import Codec, Payload, Tensor
from slfac_sim.codecs.kit.bodies import decode
from slfac_sim.codecs.kit.floats import rows_of
from slfac_sim.codecs.kit.wire import VERSION, byte_ledger, unseal
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.json_values import json_value
from slfac_sim.foundation.plugins import kind_of

_REPEATS, _ENOUGH_S = 7, 0.5  # at most so many, and none begun later than that


@dataclass(frozen=True)
class Measured:
    """What came of it. `error` is ||x - x'||^2 / ||x||^2 (0 for a tensor of zeros that stays one).

    Times are CPU seconds on one thread of numpy, the least of a few. `refused` says why, where the codec does
    not take the tensor; then all figures are NaN.
    """

    kind: str
    label: str
    values: int = 0
    body_bytes: int = 0
    error: float = float("nan")
    encode_s: float = float("nan")
    decode_s: float = float("nan")
    parts: Mapping[str, int] | None = None
    notes: Mapping[str, float] | None = None
    refused: str = ""

    @property
    def bits_per_value(self) -> float:
        """Bits of the whole body for each value."""
        return 8.0 * self.body_bytes / self.values if self.values else float("nan")

    @property
    def facts(self) -> dict[str, Any]:
        """All of it, for JSON."""
        figures = {
            "bits_per_value": self.bits_per_value,
            "relative_squared_error": self.error,
            "encode_s": self.encode_s,
            "decode_s": self.decode_s,
        }
        codec = {"codec": self.kind, "label": self.label, "bytes": self.body_bytes}
        more = {"parts": dict(self.parts or {}), "notes": dict(self.notes or {}), "refused": self.refused}
        return {**codec, **json_value(figures), **more}

    @property
    def encode_mb_per_s(self) -> float:
        """Megabytes of float32 encoded in a second."""
        return 4e-6 * self.values / self.encode_s if self.encode_s else float("nan")

    @property
    def decode_mb_per_s(self) -> float:
        """Megabytes of float32 decoded in a second."""
        return 4e-6 * self.values / self.decode_s if self.decode_s else float("nan")


def encode(codec: Codec, tensor: Tensor, stream: str) -> Payload:
    """Return the first message of a new stream, in its training form. Raises `BadTensor`."""
    samples = np.arange(rows_of(tensor.shape)[0], dtype=np.int64)  # for codecs that remember samples
    return codec.sender(stream).encode(tensor, samples)


def relative_error(tensor: Tensor, decoded: Tensor) -> float:
    """Return ||x - x'||^2 / ||x||^2; infinity if only x is zero."""
    exact = tensor.astype(np.float64)
    energy = float(np.sum(exact * exact))
    wrong = float(np.sum((decoded.astype(np.float64) - exact) ** 2))
    return wrong / energy if energy else 0.0 if wrong == 0.0 else float("inf")


def measure(codec: Codec, tensor: Tensor, stream: str, timed: bool = True) -> Measured:
    """Encode and decode `tensor` as the first message of a stream; without `timed`, once."""
    kind, label = kind_of(codec), str(codec.label)
    try:
        payload = encode(codec, tensor, stream)
        decoded = codec.receiver().decode(payload.body)
    except BadInput as refusal:
        return Measured(kind, label, refused=str(refusal))
    sizes = (tensor.size, payload.nbytes, relative_error(tensor, decoded))
    times = (float("nan"), float("nan"))
    if timed:
        times = (
            least_s(lambda: encode(codec, tensor, stream)),
            least_s(lambda: codec.receiver().decode(payload.body)),
        )
    return Measured(kind, label, *sizes, *times, payload.parts, payload.notes)


def front(points: Sequence[Measured]) -> list[Measured]:
    """Return those of `points` that no other beats in bits and in error, by falling error."""
    best: list[Measured] = []
    for point in sorted(
        (one for one in points if not one.refused), key=lambda p: (p.bits_per_value, p.error)
    ):
        if not best or point.error < best[-1].error:
            best.append(point)
    return best


def least_s(job: Callable[[], object]) -> float:
    """Return the least CPU seconds of a few calls of `job`; fewer where it takes long."""
    times: list[float] = []
    while len(times) < _REPEATS and sum(times) < _ENOUGH_S:
        before_s = time.process_time()
        job()
        times.append(time.process_time() - before_s)
    return min(times)


UNNAMED = "content"  # bytes that the codec's decoder takes without saying what they are for


@dataclass(frozen=True)
class Inspected:
    """A body that could be decoded: its frame, its parts (they add up to its length), and its tensor."""

    kind: str
    version: int
    shape: tuple[int, ...]
    settings: bytes
    body_bytes: int
    parts: Mapping[str, int]
    tensor: Tensor

    @property
    def bits_per_value(self) -> float:
        """Bits of the whole body for each value."""
        return 8.0 * self.body_bytes / self.tensor.size

    @property
    def facts(self) -> dict[str, Any]:
        """The fields of the frame and the sizes, for JSON."""
        return {
            "codec": self.kind,
            "version": self.version,
            "shape": list(self.shape),
            "type": str(self.tensor.dtype),
            "settings": self.settings.hex(),
            "bytes": self.body_bytes,
            "values": self.tensor.size,
            "bits_per_value": self.bits_per_value,
        }


def inspect(body: bytes) -> Inspected:
    """Return what `body` says. Raises `BadBody` for anything that cannot be decoded from its bytes alone."""
    frame = unseal(body)
    content_bytes = len(frame.content)
    with byte_ledger() as taken:
        tensor = decode(body)
    frame_bytes = len(body) - content_bytes + taken.get("frame", 0)
    parts = {"frame": frame_bytes} | {name: nbytes for name, nbytes in taken.items() if name != "frame"}
    rest = len(body) - sum(parts.values())
    if rest > 0:
        parts[UNNAMED] = rest
    return Inspected(frame.kind, VERSION, frame.shape, frame.settings, len(body), parts, tensor)
