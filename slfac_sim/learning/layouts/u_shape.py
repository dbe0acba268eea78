"""The model cut in three: head and tail on every device, the body on the server; labels stay at home."""

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from slfac_sim.codecs import Payload, seeded
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.counting import figures
from slfac_sim.learning.cutting import Thirds, cut_in_three
from slfac_sim.learning.draws import Draws
from slfac_sim.learning.evaluation import Score, evaluate, in_messages
from slfac_sim.learning.fleet import Held, refuse_lone_values, refuse_what_does_not_fit, works
from slfac_sim.learning.frozen import learns
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.layouts import Layout, Part
from slfac_sim.learning.model_exchange import exact, fit_for_models, state_in
from slfac_sim.learning.own_norms import keep_norms, scores_of, take_norms
from slfac_sim.learning.u_shape import Body, Ends, EndsHalf, UDevice, UServer
from slfac_sim.learning.weights import fixed_vector, load_sound, state_vector
from slfac_sim.learning.work import Exchange


class UShape(Layout):
    """Devices with two ends of the model each; they come into being when they are first used."""

    def __init__(self, ground: Ground) -> None:
        scenario, data = ground.scenario, ground.data
        super().__init__(ground)
        thirds = self.thirds = cut_in_three(scenario, data.image_shape, data.classes)
        codec = seeded(scenario.codec, scenario.seed.learning)
        codecs, outer = (codec.uplink, codec.downlink), learns(thirds.head)
        sizes = math.prod(thirds.smashed_shape), math.prod(thirds.middle_shape)
        self._outer = Exchange(thirds.work, sizes[0], *codecs, answered=outer)
        self._inner = Exchange(thirds.tail_work, sizes[1], *codecs, answered=outer or learns(thirds.body))
        self._ends = Ends(thirds.head, thirds.tail, thirds.middle_shape)
        self.held = Held(self._ends, (*thirds.head_blocks, *thirds.tail_blocks), data.image_shape)
        self.smashed_shape, self.works = thirds.smashed_shape, [thirds.work, thirds.tail_work]
        self.beyond = [thirds.body, thirds.tail]
        self.learners = [
            Part(self._ends, data.image_shape, scenario.devices.count, on_server=False),
            Part(_Beyond(thirds.body, thirds.tail), thirds.smashed_shape, 1, on_server=True),
        ]
        refuse_what_does_not_fit(ground, self.held)
        self.evaluated_models = keep_norms(self._ends, scenario)
        self._initial, self._fixed = state_vector(self._ends), fixed_vector(self._ends)
        self.models = fit_for_models(codec.model, self._initial)
        _refuse_lone_values(ground, thirds)
        head = Held(thirds.head, thirds.head_blocks, data.image_shape)
        tail = Held(_WithInput(thirds.tail), thirds.tail_blocks, thirds.middle_shape)
        self._head_works = works(scenario, thirds.work, head)
        self._tail_works = works(scenario, thirds.tail_work, tail)
        self.devices: Sequence[UDevice] = [
            self._device(place, shard) for place, shard in enumerate(ground.shards)
        ]
        body = thirds.body.to(ground.host)
        half = ground.half(Body, body, server=True)
        half.answers = outer
        self.server = UServer(
            SERVER, half, ground.names, self._inner, thirds.smashed_shape,
            self.models, Draws(scenario.seed.learning, SERVER),
        )  # fmt: skip
        self._probe = copy.deepcopy(self._ends).to(ground.host)
        batch = scenario.learning.batch
        self._through = in_messages(codec.uplink, batch), in_messages(codec.downlink, batch)

    def initial(self) -> Payload:
        """Return both ends before training."""
        return exact(self._initial)

    def trained(self, model: bytes) -> Sequence[nn.Module]:
        """Return the blocks of head, body and tail, both ends as they lie on the server."""
        take_norms(self._probe, self.devices[0].half.model)
        load_sound(self._probe, state_in(model))
        parts = self._probe.head, self.server.half.model, self._probe.tail
        return [block for part in parts for block in part.children()]

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the score on the full test set of the server's body between the ends in `model`.

        Both codecs see messages of the training batch's size, as in training.
        """
        load_sound(self._probe, self.server.as_received(model))
        parts = [self._probe.head, self.server.half.model, self._probe.tail]
        seed = self.ground.scenario.seed.learning

        def measure() -> Score:
            return evaluate(parts, self.ground.test_batches(), self._through, exact, seed)

        scores = scores_of(self._probe, self.devices, lambda device: device.half.model, measure)
        return figures(scores, self.ground)

    def _device(self, place: int, shard: Shard) -> UDevice:
        outer = replace(self._outer, work=self._head_works[shard.device])
        inner = replace(self._inner, work=self._tail_works[shard.device])
        fetch, values = self.ground.fetch_of(shard), self._initial.size
        device = UDevice(shard.device, place, self._half, shard, fetch, outer, inner, self.models, values)
        device.has(self._fixed, self.sends_initial)
        return device

    def _half(self) -> EndsHalf:
        model = copy.deepcopy(self._ends).to(self.ground.host)
        half: EndsHalf = self.ground.half(EndsHalf, model)
        return half


class _WithInput(nn.Module):
    """A part of which the gradient of its input is wanted too, as devices want the tail's for the server."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, middle: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = self.part(middle.requires_grad_())
        return output


class _Beyond(nn.Module):
    """All that follows the head, with the weights of the body only: the tail's are on the devices."""

    def __init__(self, body: nn.Module, tail: nn.Module) -> None:
        super().__init__()
        self.body = body
        self._tail = (tail,)  # in a tuple, so that it is no part of this module

    def forward(self, smashed: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self._tail[0](self.body(smashed))
        return logits


def _refuse_lone_values(ground: Ground, thirds: Thirds) -> None:
    protocol = ground.scenario.protocol
    alone = len(ground.shards) == 1 or protocol.steps is None
    parts = [(thirds.head, ground.data.image_shape), (thirds.tail, thirds.middle_shape)]
    parts += [(thirds.body, thirds.smashed_shape)] if alone else []
    refuse_lone_values(ground.shards, parts, ", larger shards, another cut or another tail")
