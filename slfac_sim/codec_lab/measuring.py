"""One codec on one tensor: bits, squared error, and the CPU time of both ends. It prints nothing."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slfac_sim.codecs import Codec, Payload, Tensor
from slfac_sim.codecs.kit.floats import rows_of
from slfac_sim.foundation.errors import BadInput
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
    def encode_mb_per_s(self) -> float:
        """Megabytes of float32 encoded in a second."""
        return 4e-6 * self.values / self.encode_s if self.encode_s else float("nan")

    @property
    def decode_mb_per_s(self) -> float:
        """Megabytes of float32 decoded in a second."""
        return 4e-6 * self.values / self.decode_s if self.decode_s else float("nan")


def ids_of(tensor: Tensor) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return a name for each sample of `tensor`, for codecs that remember samples."""
    return np.arange(rows_of(tensor.shape)[0], dtype=np.int64)


def encode(codec: Codec, tensor: Tensor, stream: str) -> Payload:
    """Return the first message of a new stream, in its training form. Raises `BadTensor`."""
    return codec.sender(stream).encode(tensor, ids_of(tensor))


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
