"""Whole models: devices, and a server, that hold all blocks and know their own loss; no clock, no network.

Models travel through codecs of their own, one message [1, values] for a state, or for what training has
changed in one.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from slfac_sim.codecs import Codec, Payload, Receiver, Sender, Tensor
from slfac_sim.codecs.raw import Raw
from slfac_sim.learning.batches import Indices, Shard
from slfac_sim.learning.halves import Labels
from slfac_sim.learning.kernels import forward
from slfac_sim.learning.participants import Batch
from slfac_sim.learning.states import Keeps
from slfac_sim.learning.weights import load_state_vector, state_vector, weighted_mean
from slfac_sim.learning.work import Work

_EXACT = Raw()


@dataclass(frozen=True)
class Answers:
    """What the forward pass on a mini-batch gives: its mean loss with the graph, and as figures."""

    graph: torch.Tensor
    loss: float
    correct: int


class Learner(Keeps):
    """A whole model with its optimiser. With `mu` above 0 it minimises the loss of FedProx.

    That adds mu/2 times the squared distance of the weights from those last loaded (Li et al., 2020,
    arXiv:1812.06127, eq. 2). The losses it tells are without this term.
    """

    kept = ("model", "optimiser")

    def __init__(self, model: nn.Module, optimiser: torch.optim.Optimizer, mu: float = 0.0) -> None:
        self.model = model
        self.optimiser = optimiser
        self._mu = mu
        self._anchor = self._weights()

    def load(self, state: Tensor) -> None:
        """Take over `state` [values]; the optimiser's moments stay."""
        load_sound(self.model, state)
        self._anchor = self._weights()

    def forward(self, images: torch.Tensor, labels: Labels) -> Answers:
        """Return the loss on `images` [batch, channels, h, w], in training mode."""
        self.model.train()
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
        self.optimiser.step()

    def _weights(self) -> list[torch.Tensor]:
        """Return a copy of the weights, or nothing where no distance counts."""
        return [weight.detach().clone() for weight in self.model.parameters() if self._mu > 0.0]


class Trainee(Keeps):
    """A learner and the samples that it goes through.

    `new_learner` makes the model before training; it is called when it is first used.
    """

    kept = ("learner", "_endless")

    def __init__(
        self, new_learner: Callable[[], Learner], shard: Shard, fetch: Callable[[Indices], Batch]
    ) -> None:
        self.shard = shard
        self._new_learner = new_learner
        self._fetch = fetch
        self._endless = shard.endless()

    @functools.cached_property
    def learner(self) -> Learner:
        """The model with its optimiser."""
        return self._new_learner()

    def next_batch(self) -> Indices:
        """Return the next mini-batch [batch] of an endless sequence of passes over the shard."""
        return next(self._endless)

    def forward(self, samples: Indices) -> Answers:
        """Return the loss on the mini-batch `samples`."""
        return self.learner.forward(*self._fetch(samples))

    def backward(self, answers: Answers) -> None:
        """Update the model by the gradient of the loss."""
        self.learner.backward(answers)

    def state(self) -> Tensor:
        """Return the state of the model [values]."""
        return state_vector(self.learner.model)


@dataclass(frozen=True)
class ModelCodec:
    """How models travel: a codec each way, and whether devices send their state or its `difference`.

    The difference is to the server's model that they began the round with, as they decoded it. The
    `initial` model is known to all: its body is float32, whatever the codec.
    """

    uplink: Codec
    downlink: Codec
    difference: bool
    initial: Payload

    @property
    def up_flops(self) -> tuple[float, float]:
        """The equivalent FLOPs of encoding and of decoding a device's model."""
        return self._flops(self.uplink)

    @property
    def down_flops(self) -> tuple[float, float]:
        """The equivalent FLOPs of encoding and of decoding the server's model."""
        return self._flops(self.downlink)

    def common(self, body: bytes, receiver: Receiver) -> Tensor:
        """Return the state [values] in the server's `body`, as each device that gets it decodes it."""
        known = body == self.initial.body
        return (_EXACT.receiver() if known else receiver).decode(body).reshape(-1)

    def _flops(self, codec: Codec) -> tuple[float, float]:
        values = self.initial.values
        return values * codec.encode_flops_per_value, values * codec.decode_flops_per_value


class WholeDevice(Keeps):
    """One device: its name, its place in device order, its own model, its ends of the models' codecs."""

    kept = ("trainee", "_up", "_down")

    def __init__(self, name: str, place: int, trainee: Trainee, work: Work, codec: ModelCodec) -> None:
        self.name = name
        self.place = place
        self.trainee = trainee
        self.work = work
        self._codec = codec
        self._common: Tensor | None = None  # what the server sent for this round; None: the initial model
        self._up: Sender = codec.uplink.sender(f"{name}/model")
        self._down: Receiver = codec.downlink.receiver()

    @property
    def shard(self) -> Shard:
        """The samples that it holds."""
        return self.trainee.shard

    @property
    def model_values(self) -> int:
        """Numbers in the state of the model."""
        return self._codec.initial.values

    @property
    def model_codec_flops(self) -> tuple[float, float]:
        """The equivalent FLOPs of encoding and of decoding the server's model."""
        return self._codec.down_flops

    @property
    def model_up_flops(self) -> tuple[float, float]:
        """The equivalent FLOPs of encoding and of decoding this device's model."""
        return self._codec.up_flops

    def part_of(self, model: Payload) -> Payload:
        """Return what this device needs of `model`, which the devices have in common: all of it."""
        return model

    def load_model(self, body: bytes) -> None:
        """Take over the server's model in `body`; the optimiser's moments stay."""
        state = self._codec.common(body, self._down)
        self._common = state if self._codec.difference else None
        self.trainee.learner.load(state)

    def model_payload(self) -> Payload:
        """Return the bytes of the model, or of what has changed in it since the round began."""
        state = self.trainee.state()
        if self._codec.difference:
            initial = self._codec.initial.body
            known = self._common if self._common is not None else self._codec.common(initial, self._down)
            state = state - known
        return self._up.encode(state.reshape(1, -1))


class WholeServer(Keeps):
    """The server: it averages, and keeps its ends of the models' codecs.

    In centralised training it is the one that learns, from the samples of all devices.
    """

    kept = ("trainee", "_up", "_down")

    def __init__(
        self, name: str, trainee: Trainee, work: Work, devices: Sequence[str], codec: ModelCodec
    ) -> None:
        self.name = name
        self.trainee = trainee
        self.work = work
        self._codec = codec
        self._up: dict[str, Receiver] = {device: codec.uplink.receiver() for device in devices}
        self._down: Sender = codec.downlink.sender(f"{name}/model")

    def model_payload(self) -> Payload:
        """Return the model that the server itself has learnt, exactly; it goes nowhere."""
        return exact(self.trainee.state())

    def decode_model(self, device: str, body: bytes, common: bytes) -> Tensor:
        """Return the state [values] of `device`, which began with the server's model in `common`."""
        sent = self._up[device].decode(body).reshape(-1)
        return sent + self.common(common) if self._codec.difference else sent

    def common(self, body: bytes) -> Tensor:
        """Return the state [values] in the server's own `body`, as each device that gets it decodes it."""
        return self._codec.common(body, self._codec.downlink.receiver())

    def average(self, states: Sequence[Tensor], samples: Sequence[int]) -> Payload:
        """Return the bytes of the mean of `states`, weighted by the samples that each used."""
        return self._down.encode(weighted_mean(states, samples).reshape(1, -1))


def exact(state: Tensor) -> Payload:
    """Return `state` [values] as float32 bytes."""
    return _EXACT.sender("model").encode(state.reshape(1, -1))


def load_sound(model: nn.Module, state: Tensor) -> None:
    """Set the state of `model`; a variance of batch-norm that a codec has brought below 0 becomes 0."""
    load_state_vector(model, state)
    for layer in model.modules():
        variance = getattr(layer, "running_var", None)
        if isinstance(variance, torch.Tensor):
            variance.clamp_(min=0.0)
