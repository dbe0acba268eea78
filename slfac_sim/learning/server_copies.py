"""Copies of the server's half, one for each device of a round, for SplitFed; no clock, no network.

There is one module and one optimiser, in which the copies take turns. A copy is one vector: the state of the
half and the optimiser's moments, so that the mean goes on as one half that has never been copied would. The
copies of a round take ``4 x devices x values`` bytes, values being the state's, twice that with momentum
and three times with Adam: 4.5 GB (13 GB) for 100 devices that all have ResNet-18's 11 million values on the
server. Beyond `MOST_BYTES` they lie in a temporary file instead of memory (where: `TMPDIR`); learning is
the same.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import IO

import numpy as np
import torch

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.divergence import sound_loss
from slfac_sim.learning.draws import Draws
from slfac_sim.learning.halves import Feedback, Labels, ServerHalf
from slfac_sim.learning.weights import load_state_vector, state_size, state_vector

MOST_BYTES = 1_000_000_000


class ServerCopies:
    """Copies of `half`, all as it is now; a context, since they may lie in a file."""

    def __init__(self, half: ServerHalf, draws: Draws, most_bytes: int = MOST_BYTES) -> None:
        self._half = half
        self._draws = draws
        self._start = _written(half)
        self._shelf = _Shelf(most_bytes)
        self._places: dict[str, int] = {}
        self._at_hand: str | None = None  # whose copy the module is

    def begin(self, devices: Sequence[str]) -> None:
        """Have a copy for each of `devices`; it comes into being with its first step."""
        self._places = {device: place for place, device in enumerate(devices)}
        self._shelf.places = len(devices)

    def __enter__(self) -> "ServerCopies":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shelf.close()

    def values_of(self, device: str) -> int:
        """Numbers in the state of the copy of `device`, without moments: as many as of any other."""
        return state_size(self._half.model)

    def train(self, device: str, arrived: tuple[Tensor, Labels]) -> Feedback:
        """Take a step of the copy of `device` on its mini-batch; what it draws is keyed by the device too."""
        if self._at_hand != device:
            self._put_away()
            place = self._places[device]
            _read(self._half, self._shelf.take(place) if place in self._shelf else self._start)
            self._at_hand = device
        with self._draws.of(f"train/{device}"):
            (feedback,) = self._half.step([arrived])
        sound_loss(feedback.loss, SERVER, f"the loss of its copy for {device}")
        return feedback

    def joined(self, model: Payload) -> Payload:
        """Return `model`: the average of device halves, beside which that of the copies stands by itself."""
        return model

    def average(self, devices: Sequence[str], samples: Sequence[int]) -> None:
        """Make the half the mean of the copies of `devices`, weighted by `samples`; with none, as it was."""
        self._put_away()
        self._at_hand = None
        vectors = (self._shelf.take(self._places[device]) for device in devices)
        _read(self._half, _mean(vectors, samples) if devices else self._start)

    def _put_away(self) -> None:
        if self._at_hand is not None:
            self._shelf.put(self._places[self._at_hand], _written(self._half))


class _Shelf:
    """Vectors of one length by place, in memory or, if `places` of them take too much of it, in a file."""

    def __init__(self, most_bytes: int) -> None:
        self.places = 0
        self._most_bytes = most_bytes
        self._vectors: dict[int, Tensor | None] = {}  # None: in the file
        self._file: IO[bytes] | None = None
        self._row_bytes = 0

    def __contains__(self, place: int) -> bool:
        return place in self._vectors

    def put(self, place: int, vector: Tensor) -> None:
        if not self._vectors and self.places * vector.nbytes > self._most_bytes:
            self._file = _temporary_file(self.places * vector.nbytes)
            self._row_bytes = vector.nbytes
        if self._file is None:
            self._vectors[place] = vector
            return
        self._file.seek(place * self._row_bytes)
        self._file.write(vector.data)
        self._vectors[place] = None

    def take(self, place: int) -> Tensor:
        held = self._vectors[place]
        if held is not None:
            return held
        assert self._file is not None
        self._file.seek(place * self._row_bytes)
        vector = np.empty(self._row_bytes // 4, np.float32)
        self._file.readinto(vector)  # type: ignore[attr-defined]  # typing.IO has no such method
        return vector

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _temporary_file(nbytes: int) -> IO[bytes]:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if free < nbytes:
        raise BadInput(
            f"protocol: the copies of the server's half take {nbytes / 1e9:.1f} GB, and {folder} has "
            f"{free / 1e9:.1f} GB free; set TMPDIR to a larger place, or let fewer devices take part"
        )
    return tempfile.TemporaryFile()


def _mean(vectors: Iterator[Tensor], samples: Sequence[int]) -> Tensor:
    """Return the mean of `vectors`, one at a time, summed in float64 (as `weights.weighted_mean`)."""
    total = sum(samples)
    first, *weights = (count / total for count in samples)
    mean = np.multiply(next(vectors), first, dtype=np.float64)
    share = np.empty_like(mean)
    for vector, weight in zip(vectors, weights, strict=True):
        mean += np.multiply(vector, weight, dtype=np.float64, out=share)
    return mean.astype(np.float32)


def _moments(half: ServerHalf) -> list[torch.Tensor]:
    """Return the optimiser's moments, in the order of the parameters; none before its first step."""
    optimiser = half.optimiser
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    states = [optimiser.state[parameter] for parameter in parameters if parameter in optimiser.state]
    kept = (state[name] for state in states for name in sorted(state))
    return [moment for moment in kept if isinstance(moment, torch.Tensor)]


def _written(half: ServerHalf) -> Tensor:
    moments = [moment.reshape(-1).cpu() for moment in _moments(half)]
    return torch.cat([torch.from_numpy(state_vector(half.model)), *moments]).numpy()


def _read(half: ServerHalf, vector: Tensor) -> None:
    """Let `half` be what `vector` says; one without moments was written before the optimiser's first step."""
    size = state_size(half.model)
    load_state_vector(half.model, vector[:size])
    if vector.size == size:
        half.optimiser.state.clear()
        return
    moments = _moments(half)
    pieces = torch.from_numpy(vector[size:]).split([moment.numel() for moment in moments])
    for moment, piece in zip(moments, pieces, strict=True):
        moment.copy_(piece.view_as(moment))
