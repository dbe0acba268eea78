"""The server of `split_each`: a model cut at another place for each device, and joined again; no clock.

The state of a whole model is the states of its blocks in order. A device holds the first of them, the
server's copy for it the others, so that the mean of whole models is a sum of both sides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.divergence import sound
from slfac_sim.learning.halves import Feedback
from slfac_sim.learning.model_exchange import ModelServer, exact
from slfac_sim.learning.participants import Arrived, EdgeServer
from slfac_sim.learning.server_copies import MOST_BYTES, ServerCopies
from slfac_sim.learning.weights import load_state_vector, state_size, state_vector
from slfac_sim.scenario.schema import ModelCodecs


@dataclass(frozen=True)
class Prefixes:
    """Device halves [values of the deepest], each times the samples it used, added up; and these samples.

    What lies behind a device's own cut counts nothing: that part is the server's to add.
    """

    total: NDArray[np.float64]
    samples: float


class MixedServer(ModelServer):
    """The edge server with a half for each cut: `servers` by cut, and which device has which cut.

    The state of the whole model has `values` numbers.
    """

    kept = (*ModelServer.kept, "_servers")

    def __init__(
        self, name: str, servers: Mapping[str, EdgeServer], cut_of: Mapping[str, str], values: int,
        models: ModelCodecs,
    ) -> None:  # fmt: skip
        super().__init__(name, models)
        self._servers = servers
        self._cut_of = cut_of
        self._values = values

    def decode(self, device: str, body: bytes, labels: bytes) -> Arrived:
        """Return smashed data and labels of `device`; raises `BadBody` when their shapes do not fit."""
        return self._servers[self._cut_of[device]].decode(device, body, labels)

    def encode(self, device: str, feedback: Feedback, asked: bytes | None = None) -> Payload:
        """Return the bytes of the gradient for `device`, in answer to smashed data in the body `asked`."""
        return self._servers[self._cut_of[device]].encode(device, feedback, asked)

    def average(self, states: Sequence[Tensor], samples: Sequence[float]) -> Prefixes:
        """Add up device halves of any depth; `copies` join them with what the server has learnt."""
        total = np.zeros(max(state.size for state in states), np.float64)
        for state, count in zip(states, samples, strict=True):
            total[: state.size] += state.astype(np.float64) * count
        return Prefixes(total, float(sum(samples)))

    def copies(self) -> "MixedCopies":
        """Return copies of the halves as they are now."""
        return MixedCopies(self._servers, self._cut_of, self._values)


class MixedCopies:
    """Copies of the server's halves, one for each device of a round; a context, since they may lie in files.

    The moments of the server's optimiser are averaged among devices of the same cut.
    """

    def __init__(self, servers: Mapping[str, EdgeServer], cut_of: Mapping[str, str], values: int) -> None:
        self._halves = {cut: server.half for cut, server in servers.items()}
        most_bytes = MOST_BYTES // len(servers)
        self._copies = {
            cut: ServerCopies(server.half, server.draws, most_bytes) for cut, server in servers.items()
        }
        self._cut_of = cut_of
        self._values = values
        self._samples: dict[str, float] = {}

    def begin(self, devices: Sequence[str]) -> None:
        """Have a copy for each of `devices`; it comes into being with its first step."""
        for cut, copies in self._copies.items():
            copies.begin([device for device in devices if self._cut_of[device] == cut])

    def __enter__(self) -> "MixedCopies":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for copies in self._copies.values():
            copies.__exit__(kind, error, trace)

    def values_of(self, device: str) -> int:
        """Numbers in the state of the copy of `device`, without moments."""
        return self._copies[self._cut_of[device]].values_of(device)

    def train(self, device: str, arrived: Arrived) -> Feedback:
        """Take a step of the copy of `device` on its mini-batch."""
        return self._copies[self._cut_of[device]].train(device, arrived)

    def average(self, devices: Sequence[str], samples: Sequence[int]) -> None:
        """Make the half of each cut the mean of its copies, weighted by `samples`; with none, as it was."""
        for cut, copies in self._copies.items():
            mine = [place for place, device in enumerate(devices) if self._cut_of[device] == cut]
            counts = [samples[place] for place in mine]
            copies.average([devices[place] for place in mine], counts)
            self._samples[cut] = float(sum(counts))

    def joined(self, halves: "Payload | Prefixes") -> Payload:
        """Return the deepest half of the mean of whole models, and let the server's halves be the rest of it.

        `halves` are what `MixedServer.average` returned, or where nobody was done a model, which stays.
        """
        if not isinstance(halves, Prefixes):
            return halves
        first = {cut: self._values - state_size(half.model) for cut, half in self._halves.items()}
        whole = np.zeros(self._values, np.float64)
        whole[: halves.total.size] += halves.total
        for cut, count in self._samples.items():
            whole[first[cut] :] += count * state_vector(self._halves[cut].model).astype(np.float64)
        mean = (whole / halves.samples).astype(np.float32)
        for cut, half in self._halves.items():
            load_state_vector(half.model, mean[first[cut] :])
        return exact(sound(mean[: max(first.values())], SERVER, "averaged weights"))
