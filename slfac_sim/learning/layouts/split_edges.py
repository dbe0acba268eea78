"""The model cut in two, with a server's half at each of several edges and a cloud above them."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from slfac_sim.codecs import Payload, seeded
from slfac_sim.learning.counting import figures
from slfac_sim.learning.edges import CloudServer, EdgeOfCloud
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.layouts import Layout
from slfac_sim.learning.layouts.split import Split
from slfac_sim.learning.model_exchange import exact, fit_for_models, state_in
from slfac_sim.learning.own_norms import refuse_own_norms
from slfac_sim.learning.sizes import Sizes
from slfac_sim.learning.weights import load_sound, state_vector
from slfac_sim.scenario.hosts import cloud_of, edges_of, homes_of


class SplitEdges(Layout):
    """The participants of `split` at each edge; in common they have the state of the whole model."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        scenario, homes = ground.scenario, homes_of(ground.scenario)
        refuse_own_norms(scenario, "where there are several servers")
        self._at: Mapping[str, Split] = {
            edge: Split(ground, [name for name in homes if homes[name] == edge], edge, EdgeOfCloud)
            for edge in edges_of(scenario)
        }
        by_name = {device.name: device for part in self._at.values() for device in part.devices}
        self.devices = [by_name[name] for name in ground.names]
        first = self._first = next(iter(self._at.values()))
        self.split, self.held, self.smashed_shape = first.split, first.held, first.smashed_shape
        self.works, self.beyond = first.works, first.beyond
        on_devices, on_server = first.learners
        self.learners = [on_devices, replace(on_server, count=len(self._at))]
        servers: dict[str, Any] = {edge: part.server for edge, part in self._at.items()}
        for edge in servers.values():
            edge.common = first.initial().body
        self._probe = copy.deepcopy(first.server.half.model)
        halves = [state_vector(first.split.device), state_vector(first.split.server)]
        self._initial = np.concatenate(halves)
        models = fit_for_models(seeded(scenario.codec, scenario.seed.learning).model, self._initial)
        self.server = CloudServer(cloud_of(scenario), models, servers, self.initial().body)

    @property
    def at(self) -> Mapping[str, Layout]:
        """The layout of each edge by its server's name."""
        return self._at

    def initial(self) -> Payload:
        """Return the whole model before training."""
        return exact(self._initial)

    def sizes(self) -> tuple[Sizes, Sizes]:
        """Return the bytes of a device and of an edge, without a codec and with the scenario's."""
        plain, compressed = super().sizes()
        (down,) = self.server.encode_model(self.initial(), [self._initial.size]).values()
        up, raw = next(iter(self.server.edges.values())).whole_payload(), self.initial().nbytes
        return (
            replace(plain, edge_up=raw, edge_down=raw),
            replace(compressed, edge_up=up.nbytes, edge_down=down.nbytes),
        )

    def trained(self, model: bytes) -> Sequence[nn.Module]:
        """Return the blocks of the whole model."""
        state, values = state_in(model), self.devices[0].model_values
        load_sound(self._probe, state[values:])
        return self._first.joined(state[:values], self._probe)

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the score of the whole model in `model`, with its device half as devices would have it."""
        state, values = state_in(model), self.devices[0].model_values
        load_sound(self._probe, state[values:])
        near = self.server.as_received(self.server.in_common(state[:values]).body)
        return figures([(self._first.score(near, exact, self._probe), self.ground.names)], self.ground)
