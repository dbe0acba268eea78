"""The whole model on every device, and on the server; nothing is cut, and labels stay at home."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from torch import nn

from slfac_sim.codecs import Payload, seeded
from slfac_sim.foundation.errors import BadInput
from slfac_sim.hosts.names import SERVER
from slfac_sim.learning.batches import Shard
from slfac_sim.learning.evaluation import Score, evaluate, mean_score
from slfac_sim.learning.layouts import Layout
from slfac_sim.learning.layouts._fleet import Held, refuse_what_does_not_fit, works
from slfac_sim.learning.layouts._ground import Ground
from slfac_sim.learning.model_exchange import exact, fit_for_models, state_in
from slfac_sim.learning.weights import initial_blocks, load_sound, state_vector
from slfac_sim.learning.whole import Learner, Trainee, WholeDevice, WholeServer
from slfac_sim.learning.work import Work, count_work, smallest_normalised_map
from slfac_sim.scenario.schedule import Schedule


class Cast(Layout):
    """A model comes into being when it is first used. What the protocol wants is read from its settings.

    `send` says what devices send of a model, `mu` is FedProx's. Where its schedule has the server learn
    alone, that holds all samples; with `evaluate_devices` nothing is learnt in common, and the figures of
    `evals` are the means over the models of so many devices, the first in device order.
    """

    whole: ClassVar[bool] = True

    def __init__(self, ground: Ground) -> None:
        scenario, data = ground.scenario, ground.data
        protocol = scenario.protocol
        self._ground = ground
        blocks = initial_blocks(scenario.model, data.image_shape, data.classes, scenario.seed.learning)
        self.model = nn.Sequential(*(block for _, block in blocks))
        self.held = Held(self.model, [name for name, _ in blocks], data.image_shape)
        schedule: Schedule | None = protocol.schedule
        self.devices_learn = schedule is None or not schedule.on_server
        self._evaluated: int | None = protocol.evaluate_devices
        self.evaluated_models = min(self._evaluated or 1, scenario.devices.count)
        self._initial = state_vector(self.model)
        self.models = fit_for_models(seeded(scenario.codec.model, scenario.seed.learning), self._initial)
        self._difference = protocol.send == "difference"
        self.work = count_work(self.model, nn.Identity(), data.image_shape)
        if self.devices_learn:
            refuse_what_does_not_fit(ground, self.held)
        self._probe = copy.deepcopy(self.model).to(ground.host)
        self.devices: Sequence[WholeDevice] = self._devices(protocol.mu)
        samples = np.sort(np.concatenate([shard.samples for shard in ground.shards]))
        batch = scenario.learning.batch * scenario.devices.count
        everything = Shard(SERVER, samples, batch, scenario.seed.learning)
        trainee = Trainee(self._learner(0.0), everything, ground.train_batch)
        self.server = WholeServer(SERVER, trainee, self.work, self.models, self._initial, self._difference)
        self._refuse_lone_values()

    @property
    def works(self) -> Sequence[Work]:
        """The work of the whole model."""
        return [self.work]

    def initial(self) -> Payload:
        """Return the model before training; an empty body where nothing is learnt in common."""
        return exact(self._initial) if self._evaluated is None else Payload(b"", 0)

    def evaluate(self, model: bytes, exact: bool) -> dict[str, Any]:
        """Return the score on the full test set of the model in `model`; no codec is between its blocks."""
        if self._evaluated is None:
            load_sound(self._probe, self.server.as_received(model) if self.devices_learn else state_in(model))
            return mean_score([(self._score(self._probe), 1)])
        models = [device.trainee.learner.model for device in self.devices[: self._evaluated]]
        return mean_score([(self._score(model), 1) for model in models])

    def _score(self, model: nn.Module) -> Score:
        batches, seed = self._ground.test_batches(), self._ground.scenario.seed.learning
        return evaluate(model, nn.Identity(), batches, lambda logits: logits, False, seed)

    def _devices(self, mu: float) -> list[WholeDevice]:
        ground, found = self._ground, []
        known = works(ground.scenario, self.work, self.held) if self.devices_learn else {}
        for place, shard in enumerate(ground.shards):
            trainee = Trainee(self._learner(mu), shard, ground.train_batch)
            work = known.get(shard.device, self.work)
            models = self.models, self._initial, self._difference
            found.append(WholeDevice(shard.device, place, trainee, work, *models))
        return found

    def _learner(self, mu: float) -> Callable[[], Learner]:
        def new() -> Learner:
            model = copy.deepcopy(self.model).to(self._ground.host)
            return Learner(model, self._ground.optimiser(model), mu)

        return new

    def _refuse_lone_values(self) -> None:
        """Refuse batches in which batch-norm would see one value of a channel: it cannot learn from that."""
        pupils = self.devices if self.devices_learn else [self.server]
        if not any(pupil.trainee.shard.has_lone_samples for pupil in pupils):
            return
        if smallest_normalised_map(self.model, self._ground.data.image_shape) == 1:
            raise BadInput(
                "learning.batch: batches of a single sample cannot be normalised on 1 x 1 maps; "
                "take larger batches or larger shards"
            )
