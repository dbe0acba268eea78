"""Whole models: devices, and a server, that hold all blocks and know their own loss; no clock, no network.

How models travel is in `learning.model_exchange`.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import Payload, Tensor
from slfac_sim.learning.batches import Indices, Shard
from slfac_sim.learning.divergence import sound, sound_loss
from slfac_sim.learning.draws import Draws
from slfac_sim.learning.fetching import Fetch
from slfac_sim.learning.halves import Half, Labels
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.model_exchange import ModelDevice, ModelServer, decoded, exact
from slfac_sim.learning.states import Keeps
from slfac_sim.learning.updates import Updates
from slfac_sim.learning.weights import load_sound, state_vector
from slfac_sim.learning.work import Exchange, Work
from slfac_sim.scenario.schema import ModelCodecs


@dataclass(frozen=True)
class Answers:
    """What the forward pass on a mini-batch gives: its mean loss with the graph, and as figures."""

    graph: torch.Tensor
    loss: float
    correct: int


class Learner(Half):
    """A whole model with its optimiser. With `mu` above 0 it minimises the loss of FedProx.

    That adds mu/2 times the squared distance of the weights from those last loaded (Li et al., 2020,
    arXiv:1812.06127, eq. 2). The losses it tells are without this term.
    """

    def __init__(
        self, model: nn.Module, optimiser: torch.optim.Optimizer, updates: Updates | None = None,
        mu: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(model, optimiser, updates)
        self._mu = mu
        self._anchor = self._weights()

    def load(self, state: Tensor) -> None:
        """Take over `state` [values]; the optimiser's moments stay."""
        load_sound(self.model, state)
        self._anchor = self._weights()

    def forward(self, images: torch.Tensor, labels: Labels) -> Answers:
        """Return the loss on `images` [batch, channels, h, w], in training mode."""
        self.begin()
        logits = forward(self.model, images)
        truth = torch.from_numpy(labels).to(logits.device)
        loss = cross_entropy(logits, truth)
        return Answers(loss, float(loss.detach()), int((logits.detach().argmax(1) == truth).sum()))

    def backward(self, answers: Answers) -> None:
        """Update the weights by the gradient of the loss."""
        self.optimiser.zero_grad(set_to_none=True)
        answers.graph.backward()
        for weight, anchor in zip(self.model.parameters(), self._anchor, strict=False):
            assert weight.grad is not None
            weight.grad.add_(weight.detach() - anchor, alpha=self._mu)
        self.update()

    def _weights(self) -> list[torch.Tensor]:
        """Return a copy of the weights, or nothing where no distance counts."""
        return [weight.detach().clone() for weight in self.model.parameters() if self._mu > 0.0]


class Trainee(Keeps):
    """A learner and the samples that it goes through.

    `new_learner` makes the model before training; it is called when it is first used.
    """

    kept = ("learner", "_endless", "_fetch", "_draws")

    def __init__(self, new_learner: Callable[[], Learner], shard: Shard, fetch: Fetch) -> None:
        self.shard = shard
        self._new_learner = new_learner
        self._fetch = fetch
        self._endless = shard.endless()
        self._draws = Draws(shard.seed, shard.device)

    @functools.cached_property
    def learner(self) -> Learner:
        """The model with its optimiser."""
        return self._new_learner()

    def next_batch(self) -> Indices:
        """Return the next mini-batch [batch] of an endless sequence of passes over the shard."""
        return next(self._endless)

    def forward(self, samples: Indices) -> Answers:
        """Return the loss on the mini-batch `samples`."""
        learner, batch = self.learner, self._fetch(samples)
        with self._draws.of("forward"):
            answers = learner.forward(*batch)
        sound_loss(answers.loss, self.shard.device)
        return answers

    def backward(self, answers: Answers) -> None:
        """Update the model by the gradient of the loss."""
        with self._draws.of("backward"):
            self.learner.backward(answers)

    def state(self) -> Tensor:
        """Return the state of the model [values]."""
        return sound(state_vector(self.learner.model), self.shard.device, "weights")


class WholeDevice(ModelDevice):
    """One device with a model of its own.

    With `difference` it sends what training has changed in the model that it began the round with, as it
    decoded that; `initial` [values] is the one that all know.
    """

    kept = (*ModelDevice.kept, "trainee")

    def __init__(
        self, name: str, place: int, trainee: Trainee, work: Work, models: ModelCodecs, initial: Tensor,
        difference: bool,
    ) -> None:  # fmt: skip
        super().__init__(name, place, models, initial.size)
        self.trainee = trainee
        self.work = work
        self._begun_with = initial if difference else None

    @property
    def shard(self) -> Shard:
        """The samples that it holds."""
        return self.trainee.shard

    @property
    def crossings(self) -> Sequence[Exchange]:
        """None: the model is not cut."""
        return []

    def load_model(self, body: bytes) -> None:
        """Take over the server's model in `body`; the optimiser's moments stay."""
        state = decoded(self._models.downlink, body)
        if self._begun_with is not None:
            self._begun_with = state
        self.trainee.learner.load(state)

    def model_payload(self) -> Payload:
        """Return the bytes of the model, or of what has changed in it since the round began."""
        state = self.trainee.state()
        changed = state if self._begun_with is None else state - self._begun_with
        return self._model_up.encode(changed.reshape(1, -1))


class WholeServer(ModelServer):
    """The server: it averages. In centralised training it is the one that learns, from all samples.

    With `difference` devices send theirs to the model that they were handed last. `statistics` [values] is 1
    where a state has statistics of batch-norm, and 0 where it has weights.
    """

    kept = (*ModelServer.kept, "trainee")

    def __init__(
        self, name: str, trainee: Trainee, work: Work, models: ModelCodecs, initial: Tensor, difference: bool,
        statistics: Tensor,
    ) -> None:  # fmt: skip
        super().__init__(name, models)
        self._statistics = statistics
        self.trainee = trainee
        self.work = work
        self.handed_out = initial if difference else None  # as devices have it

    def model_payload(self) -> Payload:
        """Return the model that the server itself has learnt, exactly; it goes nowhere."""
        return exact(self.trainee.state())

    def encode_model(self, model: Payload, sizes: Sequence[int]) -> Mapping[int, Payload]:
        """Return what is sent of `model`, by size; devices have all of it."""
        parts = super().encode_model(model, sizes)
        if self.handed_out is not None:
            (sent,) = parts.values()
            self.handed_out = decoded(self._models.downlink, sent.body)
        return parts

    def decode_model(self, body: bytes) -> Tensor:
        """Return the state [values] that a device has learnt, from what it has sent."""
        sent = super().decode_model(body)
        return sent if self.handed_out is None else self.handed_out + sent

    def decode_change(self, body: bytes) -> Tensor:
        """Return the difference [values] that a device has sent, to whatever model it was handed."""
        return super().decode_model(body)

    def moved(self, change: Tensor, given: Payload, now: Payload) -> Tensor:
        """Return the `change` [values] of the model `given` as one of the model `now`.

        Weights move on as far as they did. Statistics (batch-norm's means and variances) go to where they
        went: several changes of one model, added up, would carry them beyond all that any device has seen.
        """
        return change + self._statistics * (self.state_of(given) - self.state_of(now))
