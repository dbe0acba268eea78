"""The whole model on every device, and on the server; nothing is cut, and labels stay at home."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import nn

from slfac_sim.codecs import Payload, seeded
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.counting import figures
from slfac_sim.learning.evaluation import Score, evaluate
from slfac_sim.learning.fleet import Held, refuse_lone_values, refuse_what_does_not_fit, works
from slfac_sim.learning.given import blocks_of
from slfac_sim.learning.ground import Ground
from slfac_sim.learning.layouts import Flops, Layout, Part
from slfac_sim.learning.model_exchange import exact, fit_for_models, state_in
from slfac_sim.learning.own_norms import keep_norms, scores_of, take_norms
from slfac_sim.learning.sizes import Sizes
from slfac_sim.learning.weights import fixed_vector, load_sound, state_vector, statistics_in
from slfac_sim.learning.whole import Learner, Trainee, WholeDevice, WholeServer
from slfac_sim.learning.work import count_work
from slfac_sim.scenario.schedule import Schedule


class Whole(Layout):
    """A model comes into being when it is first used. What the protocol wants is read from its settings.

    `send` says what devices send of a model, `mu` is FedProx's. Where its schedule has the server learn
    alone, that holds all samples; with `evaluate_devices` nothing is learnt in common, and the figures of
    `evals` are the means over the models of so many devices, the first in device order.
    """

    def __init__(self, ground: Ground) -> None:
        scenario, data = ground.scenario, ground.data
        protocol = scenario.protocol
        super().__init__(ground)
        blocks = blocks_of(scenario, data.image_shape, data.classes)
        self.model = nn.Sequential(*(block for _, block in blocks))
        self.held = Held(self.model, [name for name, _ in blocks], data.image_shape)
        schedule: Schedule | None = protocol.schedule
        on_server = schedule is not None and schedule.on_server
        count = 1 if on_server else scenario.devices.count
        self.learners = [Part(self.model, data.image_shape, count, on_server)]
        self._evaluated: int | None = protocol.evaluate_devices
        measured = max(keep_norms(self.model, scenario), self._evaluated or 1)
        self.evaluated_models = min(measured, scenario.devices.count)
        self._initial, self._fixed = state_vector(self.model), fixed_vector(self.model)
        self.models = fit_for_models(seeded(scenario.codec.model, scenario.seed.learning), self._initial)
        self._difference = protocol.send == "difference"
        self.work = count_work(self.model, nn.Identity(), data.image_shape)
        self.works = [self.work]
        if self.devices_learn:
            refuse_what_does_not_fit(ground, self.held)
        self._probe = copy.deepcopy(self.model).to(ground.host)
        self.devices: Sequence[WholeDevice] = self._devices(protocol.mu)
        samples = np.sort(np.concatenate([shard.samples for shard in ground.shards]))
        batch = scenario.learning.batch * scenario.devices.count
        everything = Shard(SERVER, samples, batch, scenario.seed.learning)
        trainee = Trainee(self._learner(0.0, server=True), everything, ground.fetch_of(everything))
        known = self.models, self._initial, self._difference
        self.server = WholeServer(SERVER, trainee, self.work, *known, statistics_in(self.model))
        pupils = self.devices if self.devices_learn else [self.server]
        shards = [pupil.trainee.shard for pupil in pupils]
        refuse_lone_values(shards, [(self.model, data.image_shape)], " or larger shards")

    def flops(self) -> Flops:
        """Return the FLOPs per sample of whole passes, on each device or for it on the server."""
        passes = {device.name: device.work.device_step_flops for device in self.devices}
        nothing = dict.fromkeys(passes, 0.0)
        if self.devices_learn:
            return Flops(passes, nothing)
        return Flops(nothing, dict.fromkeys(passes, self.work.device_step_flops))

    def sizes(self) -> tuple[Sizes, Sizes]:
        """Return the bytes of a device's model, once it has learnt: there may be a difference to send."""
        trainee = self.devices[0].trainee
        trainee.backward(trainee.forward(trainee.shard.epoch(0)[0]))
        return super().sizes()

    def initial(self) -> Payload:
        """Return the model before training; an empty body where nothing is learnt in common."""
        return exact(self._initial) if self._evaluated is None else Payload(b"", 0)

    def trained(self, model: bytes) -> Sequence[nn.Module]:
        """Return the blocks of the model, as it lies on the server."""
        if self._evaluated is not None:
            return list(self.devices[0].trainee.learner.model.children())
        if self.devices_learn:
            take_norms(self._probe, self.devices[0].trainee.learner.model)
        load_sound(self._probe, state_in(model))
        return list(self._probe.children())

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the score on the full test set of the model in `model`; no codec is between its blocks."""
        if self._evaluated is None:
            load_sound(self._probe, self.server.as_received(model) if self.devices_learn else state_in(model))
            measure = partial(self._score, self._probe)
            scores = scores_of(
                self._probe, self.devices, lambda device: device.trainee.learner.model, measure
            )
            return figures(scores, self.ground)
        devices = self.devices[: self._evaluated]
        scores = [(self._score(device.trainee.learner.model), [device.name]) for device in devices]
        return figures(scores, self.ground)

    def _score(self, model: nn.Module) -> Score:
        batches, seed = self.ground.test_batches(), self.ground.scenario.seed.learning
        return evaluate([model, nn.Identity()], batches, [lambda logits: logits], False, seed)

    def _devices(self, mu: float) -> list[WholeDevice]:
        ground, devices = self.ground, []
        known = works(ground.scenario, self.work, self.held) if self.devices_learn else {}
        for place, shard in enumerate(ground.shards):
            trainee = Trainee(self._learner(mu), shard, ground.fetch_of(shard))
            work = known.get(shard.device, self.work)
            models = self.models, self._initial, self._difference
            devices.append(WholeDevice(shard.device, place, trainee, work, *models))
            devices[-1].has(self._fixed, self.sends_initial)
        return devices

    def _learner(self, mu: float, server: bool = False) -> Callable[[], Learner]:
        def new() -> Learner:
            model = copy.deepcopy(self.model).to(self.ground.host)
            learner: Learner = self.ground.half(partial(Learner, mu=mu), model, server)
            return learner

        return new
