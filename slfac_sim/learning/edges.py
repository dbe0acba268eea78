"""Edges under a cloud: what each keeps of the model, and how that travels between the two; no clock.

The state of a whole model is that of the device half, then that of the server's half. An edge has both: its
own half, and what its devices have in common.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from slfac_sim.codecs import Payload, Sender, Tensor
from slfac_sim.learning.model_exchange import ModelServer, decoded, exact, state_in
from slfac_sim.learning.participants import EdgeServer
from slfac_sim.learning.weights import load_sound, state_size, state_vector
from slfac_sim.scenario.schema import ModelCodecs


class EdgeOfCloud(EdgeServer):
    """The server of an edge, which has a model from the cloud and goes on learning from it.

    `common` is the body of what its devices have in common, `averaged` how many times the cloud had averaged
    when it got the model, and `samples` are those that were learnt from since. Its optimiser's moments stay
    with it.
    """

    kept = (*EdgeServer.kept, "common", "averaged", "samples", "_to_cloud")

    common = b""
    averaged = 0
    samples = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._to_cloud: Sender = self._models.uplink.sender(f"{self.name}/whole model")

    @property
    def model(self) -> Payload:
        """What its devices have in common."""
        return exact(state_in(self.common))

    def keep(self, model: Payload, samples: int) -> None:
        """Take note that its devices have `model` in common after so many samples more."""
        self.common = model.body
        self.samples += samples

    def whole_state(self) -> Tensor:
        """Return the state of the whole model [values]."""
        return np.concatenate([state_in(self.common), state_vector(self.half.model)])

    def whole_codec_flops(self) -> tuple[float, float]:
        """Return the equivalent FLOPs of encoding the whole model, and of decoding the cloud's."""
        values, codecs = self.whole_values, self._models
        return values * codecs.uplink.encode_flops_per_value, values * codecs.downlink.decode_flops_per_value

    @property
    def whole_values(self) -> int:
        """Numbers in the state of the whole model."""
        return state_in(self.common).size + state_size(self.half.model)

    def whole_payload(self) -> Payload:
        """Return the bytes of the whole model for the cloud."""
        return self._to_cloud.encode(self.whole_state().reshape(1, -1))

    def take(self, body: bytes, averaged: int) -> None:
        """Go on from the model in the `body` that the cloud has sent, which had averaged so many times."""
        state = decoded(self._models.downlink, body)
        values = state_in(self.common).size
        load_sound(self.half.model, state[values:])
        self.common = exact(state[:values]).body
        self.averaged, self.samples = averaged, 0


class CloudServer(ModelServer):
    """The server above the `edges`, by their names: it averages their models, `averaged` times until now.

    The last mean is in the body `whole`; before the first it is the model that all begin with.
    """

    kept = (*ModelServer.kept, "edges", "whole", "averaged")

    averaged = 0

    def __init__(
        self, name: str, models: ModelCodecs, edges: Mapping[str, EdgeOfCloud], whole: bytes
    ) -> None:
        super().__init__(name, models)
        self.edges = edges
        self.whole = whole

    @property
    def model(self) -> Payload:
        """The last mean."""
        return exact(state_in(self.whole))

    def average_edges(self, states: Sequence[Tensor], samples: Sequence[int]) -> Payload:
        """Return the mean of whole models, weighted by the samples since the last such mean."""
        mean: Payload = self.average(states, samples)
        self.whole = mean.body
        self.averaged += 1
        return mean

    def mean_of_edges(self, model: Payload) -> Payload:
        """Return the mean of the edges as they are; `model` where none has learnt since the last one."""
        edges = [edge for edge in self.edges.values() if edge.samples and edge.averaged == self.averaged]
        if not edges:
            return model
        mean: Payload = self.average([edge.whole_state() for edge in edges], [edge.samples for edge in edges])
        return mean
