"""Who learns: a device and the edge server, each with its half, its ends of the codecs and its work in FLOPs.

They turn tensors into payloads and back; they know neither the clock nor the network, and never each other.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from slfac_sim.codecs import BadBody, Codec, Payload, Receiver, Sender, Tensor
from slfac_sim.learning.batches import Indices, Shard
from slfac_sim.learning.divergence import sound, sound_loss
from slfac_sim.learning.draws import Draws
from slfac_sim.learning.epsl import Aggregated, aggregating_step
from slfac_sim.learning.halves import Feedback, Labels, Pending, ServerHalf, Smashed
from slfac_sim.learning.model_exchange import ModelServer, decoded, model_codec_flops
from slfac_sim.learning.server_copies import ServerCopies
from slfac_sim.learning.stashing import Half
from slfac_sim.learning.states import Keeps
from slfac_sim.learning.weights import load_sound, state_vector
from slfac_sim.learning.work import Work
from slfac_sim.scenario.schema import ModelCodecs

Batch = tuple[torch.Tensor, Labels]
Arrived = tuple[Tensor, Labels]


def encode_labels(labels: Labels) -> Payload:
    """Return `labels` [batch] as one unsigned byte each."""
    if labels.size and not 0 <= labels.min() <= labels.max() <= 255:
        raise ValueError(f"labels must be within 0..255 (got {labels.min()}..{labels.max()})")
    return Payload(labels.astype(np.uint8).tobytes(), labels.size)


def decode_labels(body: bytes) -> Labels:
    """Return the labels [batch] of `body`."""
    return np.frombuffer(body, np.uint8).astype(np.int64)


@dataclass(frozen=True)
class Exchange:
    """The cost of one mini-batch in FLOPs per sample, the codecs' equivalent FLOPs among them."""

    work: Work
    values_per_sample: int
    uplink: Codec
    downlink: Codec

    @property
    def encode_up_flops(self) -> float:
        """Encoding of the smashed data of one sample."""
        return self.values_per_sample * self.uplink.encode_flops_per_value

    @property
    def decode_up_flops(self) -> float:
        """Decoding of the smashed data of one sample."""
        return self.values_per_sample * self.uplink.decode_flops_per_value

    @property
    def encode_down_flops(self) -> float:
        """Encoding of the gradient of one sample."""
        return self.values_per_sample * self.downlink.encode_flops_per_value

    @property
    def decode_down_flops(self) -> float:
        """Decoding of the gradient of one sample."""
        return self.values_per_sample * self.downlink.decode_flops_per_value


class Device(Keeps):
    """One device: its name, its place in device order, its shard, its half, its ends of the codecs.

    `new_half` makes the half before training; it is called when the half is first used, so that a thousand
    devices of which few take part cost little. `model_values` is the size of its state.
    """

    kept: ClassVar[tuple[str, ...]] = ("_half", "_given", "_endless", "_up", "_down", "_model_up", "draws")

    def __init__(
        self, name: str, place: int, new_half: Callable[[], Half], shard: Shard,
        fetch: Callable[[Indices], Batch], exchange: Exchange, models: ModelCodecs, model_values: int,
    ) -> None:  # fmt: skip
        self.name = name
        self.place = place
        self.shard = shard
        self.exchange = exchange
        self._new_half = new_half
        self.model_values = model_values
        self._models = models
        self._given: bytes | None = None  # a model to begin with, for a half that was never used
        self._fetch = fetch
        self._endless = shard.endless()
        self.draws = Draws(shard.seed, name)
        self._up: Sender = exchange.uplink.sender(f"{name}/up")
        self._down: Receiver = exchange.downlink.receiver()
        self._model_up: Sender = models.uplink.sender(f"{name}/model")

    @functools.cached_property
    def _half(self) -> Half:
        half = self._new_half()
        if self._given is not None:
            load_sound(half.model, self._state_in(self._given))
            self._given = None
        return half

    def next_batch(self) -> Indices:
        """Return the next mini-batch [batch] of an endless sequence of passes over the shard."""
        return next(self._endless)

    def forward(self, samples: Indices) -> Smashed:
        """Run the mini-batch `samples` up to the cut."""
        half, batch = self._half, self._fetch(samples)
        with self.draws.of("forward"):
            smashed = replace(half.forward(*batch), samples=samples)
        sound(smashed.tensor, self.name, "activations")
        return smashed

    def encode(self, smashed: Smashed) -> Payload:
        """Return the bytes of the smashed data."""
        return self._up.encode(smashed.tensor, smashed.samples)

    def decode(self, body: bytes, asked: bytes | None = None) -> Tensor:
        """Return the gradient that `body` carries, in answer to the smashed data whose body was `asked`.

        The answer is also the receipt: only now does the uplink's sender know that `asked` has arrived.
        """
        if asked is None:
            return self._down.decode(body)
        self._down.follow(asked)
        return self.settle(self._down.decode(body), asked)

    def settle(self, gradient: Tensor, asked: bytes) -> Tensor:
        """Let the uplink's sender know that `gradient` answers `asked`; returns it as that corrects it."""
        self._up.confirm(asked)
        return self._up.correct(asked, gradient)

    def backward(self, pending: Pending, gradient: Tensor) -> None:
        """Update the half by `gradient` of the activation that waits in `pending`."""
        with self.draws.of("backward"):
            self._half.backward(pending, gradient)

    def encode_labels(self, smashed: Smashed) -> Payload:
        """Return the labels of the mini-batch as bytes; they leave the device."""
        return encode_labels(smashed.labels)

    @property
    def crossings(self) -> Sequence[Exchange]:
        """The costs of the places where the model is cut, the one nearest to the input first."""
        return [self.exchange]

    @property
    def model_codec_flops(self) -> tuple[float, float]:
        """The equivalent FLOPs of encoding the half's state, and of decoding the server's."""
        return model_codec_flops(self._models, self.model_values)

    def model_state(self) -> Tensor:
        """Return the state of the half [values], batch-norm statistics included."""
        return sound(state_vector(self._half.model), self.name, "weights")

    def model_payload(self) -> Payload:
        """Return the bytes of the state of the half."""
        return self._model_up.encode(self.model_state().reshape(1, -1))

    def load_model(self, body: bytes) -> None:
        """Replace the state of the half by the first values in `body`; the optimiser's moments stay."""
        if "_half" in vars(self):
            load_sound(self._half.model, self._state_in(body))
        else:
            self._given = body

    def _state_in(self, body: bytes) -> Tensor:
        return decoded(self._models.downlink, body)[: self.model_values]


class EdgeServer(ModelServer):
    """The edge server: its half, and its ends of every device's codecs."""

    kept = (*ModelServer.kept, "half", "_up", "_down", "draws")

    def __init__(
        self,
        name: str,
        half: ServerHalf,
        devices: Sequence[str],
        exchange: Exchange,
        smashed_shape: tuple[int, ...],
        models: ModelCodecs,
        draws: Draws,
    ) -> None:
        super().__init__(name, models)
        self.draws = draws
        self._smashed_shape = smashed_shape
        self.half = half
        self._up: dict[str, Receiver] = {device: exchange.uplink.receiver() for device in devices}
        self._down: dict[str, Sender] = {
            device: exchange.downlink.sender(f"{device}/down") for device in devices
        }

    def decode(self, device: str, body: bytes, labels: bytes) -> Arrived:
        """Return smashed data and labels of `device`; raises `BadBody` when their shapes do not fit."""
        tensor, truth = self._up[device].decode(body), decode_labels(labels)
        expected = (len(truth), *self._smashed_shape)
        if tensor.shape != expected:
            found = f"smashed data of shape {list(tensor.shape)}"
            raise BadBody(f"{device}: {found} came with {len(truth)} labels, expected {list(expected)}")
        return tensor, truth

    def train(self, cohort: Sequence[Arrived]) -> list[Feedback]:
        """Take one step on the whole cohort and return each device's feedback, in the same order.

        What is drawn is keyed by the number of the step, and dealt out over the cohort in its order.
        """
        with self.draws.of("train"):
            answers = self.half.step(cohort)
        for answer in answers:
            sound_loss(answer.loss, self.name)
        return answers

    def train_aggregated(self, aggregated: int, cohort: Sequence[Arrived]) -> list[Aggregated]:
        """Take one step in which the first `aggregated` samples of each mini-batch are as one."""
        with self.draws.of("train"):
            answers = aggregating_step(self.half, aggregated, cohort)
        for answer in answers:
            sound_loss(answer.loss, self.name)
            sound(answer.shared, self.name, "gradients for all")
        return answers

    def encode(self, device: str, feedback: Feedback, asked: bytes | None = None) -> Payload:
        """Return the bytes of the gradient for `device`, in answer to smashed data in the body `asked`."""
        if asked is not None:
            self._down[device].follow(asked)
        return self._down[device].encode(sound(feedback.gradient, self.name, f"gradients for {device}"))

    def copies(self) -> ServerCopies:
        """Return copies of the half as it is now."""
        return ServerCopies(self.half, self.draws)
