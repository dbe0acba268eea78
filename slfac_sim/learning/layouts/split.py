"""The model cut in two: the first blocks on every device, the others on the server; labels are sent along."""

import copy
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from slfac_sim.codecs import Payload, Tensor, seeded
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.counting import figures
from slfac_sim.learning.cutting import split_model
from slfac_sim.learning.draws import Draws
from slfac_sim.learning.evaluation import Score, evaluate, in_messages
from slfac_sim.learning.fleet import Held, fitting_cuts, refuse_lone_values, refuse_what_does_not_fit, works
from slfac_sim.learning.frozen import learns
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.halves import DeviceHalf, ServerHalf, StashingHalf
from slfac_sim.learning.layouts import Layout, Part
from slfac_sim.learning.model_exchange import exact, fit_for_models, state_in
from slfac_sim.learning.own_norms import keep_norms, scores_of, take_norms
from slfac_sim.learning.participants import Device, EdgeServer
from slfac_sim.learning.weights import fixed_vector, load_sound, state_vector
from slfac_sim.learning.work import Exchange
from slfac_sim.scenario.schedule import Schedule


class Split(Layout):
    """100 devices are 100 halves, shards and optimisers; a half comes into being when it is first used.

    With `names` these devices alone, and their `server`, which is of the class `serves`.
    """

    def __init__(
        self,
        ground: Ground,
        names: Collection[str] | None = None,
        server: str = SERVER,
        serves: type[EdgeServer] = EdgeServer,
    ) -> None:
        scenario, data = ground.scenario, ground.data
        super().__init__(ground)
        self.split = split_model(scenario, data.image_shape, data.classes)
        codec = seeded(scenario.codec, scenario.seed.learning)
        values, label_bytes = self.split.values_per_sample, 1 if data.classes <= 256 else 2
        answered = learns(self.split.device)
        self._exchange = Exchange(
            self.split.work, values, codec.uplink, codec.downlink, label_bytes, answered
        )
        self.held = Held(self.split.device, self.split.device_blocks, data.image_shape)
        self.smashed_shape, self.works = self.split.smashed_shape, [self.split.work]
        self.beyond = [self.split.server]
        self.learners = [
            Part(self.split.device, data.image_shape, scenario.devices.count, on_server=False),
            Part(self.split.server, self.smashed_shape, 1, on_server=True),
        ]
        cuts = fitting_cuts(scenario, data.image_shape, data.classes)
        among = set(ground.names if names is None else names)
        mine = [name for name in ground.names if name in among]
        refuse_what_does_not_fit(ground, self.held, cuts, mine)
        self.evaluated_models = keep_norms(self.split.device, scenario)
        self._initial, self._fixed = state_vector(self.split.device), fixed_vector(self.split.device)
        self.models = fit_for_models(codec.model, self._initial)
        self._own_works = works(scenario, self.split.work, self.held)
        self.devices: Sequence[Device] = [
            self._device(place, shard) for place, shard in enumerate(ground.shards) if shard.device in among
        ]
        self._refuse_lone_values()
        part = self.split.server.to(ground.host)
        half = ground.half(ServerHalf, part, server=True)
        half.answers = answered
        self.server = serves(
            server,
            half,
            mine,
            self._exchange,
            self.split.smashed_shape,
            self.models,
            Draws(scenario.seed.learning, server),
        )
        self._probe = copy.deepcopy(self.split.device).to(ground.host)
        self._through = in_messages(codec.uplink, scenario.learning.batch)

    def initial(self) -> Payload:
        """Return the device half before training."""
        return exact(self._initial)

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the score on the full test set of the server's half with the device half in `model`.

        The device half is as devices have it, once it has come through the codec of models.
        The uplink codec sees messages of the training batch's size, as a device sends them.
        """
        measure = partial(self.score, self.server.as_received(model), exact)
        scores = scores_of(self._probe, self.devices, lambda device: device.half.model, measure)
        return figures(scores, self.ground)

    def trained(self, model: bytes) -> Sequence[nn.Module]:
        """Return the blocks of both halves, the device half as it lies on the server."""
        return self.joined(state_in(model), self.server.half.model)

    def joined(self, state: Tensor, beyond: nn.Module) -> Sequence[nn.Module]:
        """Return the blocks of the device half of `state` [values], and of what is `beyond` it."""
        take_norms(self._probe, self.devices[0].half.model)
        load_sound(self._probe, state)
        return [*self._probe.children(), *beyond.children()]

    def score(self, state: Tensor, exact: bool, beyond: nn.Module | None = None) -> Score:
        """Return the score with the device half of `state` [values], and `beyond` it the server's half."""
        load_sound(self._probe, state)
        batches, seed = self.ground.test_batches(), self.ground.scenario.seed.learning
        server = self.server.half.model if beyond is None else beyond
        return evaluate([self._probe, server], batches, [self._through], exact, seed)

    def _device(self, place: int, shard: Shard) -> Device:
        exchange = replace(self._exchange, work=self._own_works[shard.device])
        fetch, values = self.ground.fetch_of(shard), self._initial.size
        device = Device(shard.device, place, self._half, shard, fetch, exchange, self.models, values)
        device.has(self._fixed, self.sends_initial)
        return device

    def _half(self) -> DeviceHalf:
        model = copy.deepcopy(self.split.device).to(self.ground.host)
        kind = StashingHalf if self.ground.scenario.protocol.stashes_weights else DeviceHalf
        half: DeviceHalf = self.ground.half(kind, model)
        return half

    def _refuse_lone_values(self) -> None:
        """Refuse batches in which batch-norm would see one value of a channel: it cannot learn from that."""
        schedule: Schedule | None = self.ground.scenario.protocol.schedule
        # in a local epoch devices that have run out of batches leave the cohort, to the last one
        fixed = schedule if schedule is not None and schedule.steps is not None else None
        alone = fixed is None or fixed.smallest_cohort(len(self.devices)) == 1
        halves = [(part.module, part.shape) for part in self.learners if alone or not part.on_server]
        shards = [device.shard for device in self.devices]
        refuse_lone_values(shards, halves, ", larger shards or another cut")
