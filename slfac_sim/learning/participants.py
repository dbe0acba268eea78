"""Who learns: a device and the edge server, each with its half, its ends of the codecs and its work in FLOPs.

They turn tensors into payloads and back; they know neither the clock nor the network, and never each other.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

import numpy as np

from slfac_sim.codecs import BadBody, Payload, Receiver, Sender, Tensor
from slfac_sim.learning.batches import Indices, Shard
from slfac_sim.learning.divergence import sound, sound_loss
from slfac_sim.learning.draws import Draws
from slfac_sim.learning.epsl import Aggregated, aggregating_step
from slfac_sim.learning.fetching import Fetch
from slfac_sim.learning.halves import DeviceHalf, Feedback, Half, Labels, Pending, ServerHalf, Smashed
from slfac_sim.learning.model_exchange import ModelDevice, ModelServer, decoded
from slfac_sim.learning.server_copies import ServerCopies
from slfac_sim.learning.weights import load_sound, state_vector
from slfac_sim.learning.work import Exchange
from slfac_sim.scenario.schema import ModelCodecs

Arrived = tuple[Tensor, Labels]


def encode_labels(labels: Labels, nbytes: int = 1) -> Payload:
    """Return `labels` [batch] as unsigned little-endian integers of `nbytes` each: 1, or 2."""
    most = 256**nbytes - 1
    if labels.size and not 0 <= labels.min() <= labels.max() <= most:
        raise ValueError(f"labels must be within 0..{most} (got {labels.min()}..{labels.max()})")
    return Payload(labels.astype(f"<u{nbytes}").tobytes(), labels.size)


def decode_labels(body: bytes, nbytes: int = 1) -> Labels:
    """Return the labels [batch] of `body`, of `nbytes` each. Raises `BadBody` for a part of one."""
    if len(body) % nbytes:
        raise BadBody(f"labels: found {len(body)} bytes, expected {nbytes} for each")
    return np.frombuffer(body, f"<u{nbytes}").astype(np.int64)


class Device(ModelDevice):
    """One device: its shard, its half, its ends of the codecs.

    `new_half` makes the half before training; it is called when the half is first used, so that a thousand
    devices of which few take part cost little.
    """

    kept = (*ModelDevice.kept, "half", "_given", "_endless", "_fetch", "_up", "_down", "draws")

    def __init__(
        self, name: str, place: int, new_half: Callable[[], DeviceHalf], shard: Shard,
        fetch: Fetch, exchange: Exchange, models: ModelCodecs, model_values: int,
    ) -> None:  # fmt: skip
        super().__init__(name, place, models, model_values)
        self.shard = shard
        self.exchange = exchange
        self._new_half = new_half
        self._given: bytes | None = None  # a model to begin with, for a half that was never used
        self._fetch = fetch
        self._endless = shard.endless()
        self.draws = Draws(shard.seed, name)
        self._up: Sender = exchange.uplink.sender(f"{name}/up")
        self._down: Receiver = exchange.downlink.receiver()

    @functools.cached_property
    def half(self) -> DeviceHalf:
        """Its part of the model; with it the optimiser begins."""
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
        half, batch = self.half, self._fetch(samples)
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

    def hear(self, asked: bytes) -> None:
        """Take note that `asked` has arrived, where no gradient answers it."""
        self._up.confirm(asked)

    def settle(self, gradient: Tensor, asked: bytes) -> Tensor:
        """Let the uplink's sender know that `gradient` answers `asked`; returns it as that corrects it."""
        self._up.confirm(asked)
        return self._up.correct(asked, gradient)

    def backward(self, pending: Pending, gradient: Tensor | None) -> None:
        """Update the half by `gradient` of the activation that waits in `pending`, if it learns from that."""
        with self.draws.of("backward"):
            self.half.backward(pending, gradient)

    def encode_labels(self, smashed: Smashed) -> Payload:
        """Return the labels of the mini-batch as bytes; they leave the device."""
        return encode_labels(smashed.labels, self.exchange.label_bytes)

    @property
    def crossings(self) -> Sequence[Exchange]:
        """The costs of the places where the model is cut, the one nearest to the input first."""
        return [self.exchange]

    def model_state(self) -> Tensor:
        """Return the state of the half [values], batch-norm statistics included."""
        return sound(state_vector(self.half.model), self.name, "weights")

    def model_payload(self) -> Payload:
        """Return the bytes of the state of the half."""
        return self._model_up.encode(self.model_state().reshape(1, -1))

    def load_model(self, body: bytes) -> None:
        """Replace the state of the half by the first values in `body`; the optimiser's moments stay."""
        if "half" in vars(self):
            load_sound(self.half.model, self._state_in(body))
        else:
            self._given = body

    def _state_in(self, body: bytes) -> Tensor:
        return decoded(self._models.downlink, body)[: self.model_values]


Part = TypeVar("Part", bound=Half)


class CutServer(ModelServer, Generic[Part]):
    """The edge server of a cut model: its part of it, and its ends of every device's codecs."""

    kept = (*ModelServer.kept, "half", "_up", "_down", "draws")

    def __init__(
        self, name: str, half: Part, devices: Sequence[str], exchange: Exchange,
        smashed_shape: tuple[int, ...], models: ModelCodecs, draws: Draws,
    ) -> None:  # fmt: skip
        super().__init__(name, models)
        self.draws = draws
        self.half = half
        self.smashed_shape = smashed_shape
        self.label_bytes = exchange.label_bytes
        self._up: dict[str, Receiver] = {device: exchange.uplink.receiver() for device in devices}
        self._down: dict[str, Sender] = {
            device: exchange.downlink.sender(f"{device}/down") for device in devices
        }

    def encode_gradient(self, device: str, gradient: Tensor, asked: bytes | None) -> Payload:
        """Return the bytes of the `gradient` for `device`, in answer to smashed data in the body `asked`."""
        if asked is not None:
            self._down[device].follow(asked)
        return self._down[device].encode(sound(gradient, self.name, f"gradients for {device}"))


class EdgeServer(CutServer[ServerHalf]):
    """The edge server of a model that is cut in two: it is sent smashed data and labels."""

    def decode(self, device: str, body: bytes, labels: bytes) -> Arrived:
        """Return smashed data and labels of `device`; raises `BadBody` when their shapes do not fit."""
        tensor, truth = self._up[device].decode(body), decode_labels(labels, self.label_bytes)
        expected = (len(truth), *self.smashed_shape)
        if tensor.shape != expected:
            wrong = f"smashed data of shape {list(tensor.shape)}"
            raise BadBody(f"{device}: {wrong} came with {len(truth)} labels, expected {list(expected)}")
        return tensor, truth

    def train(self, cohort: Sequence[Arrived], rate: float = 1.0) -> list[Feedback]:
        """Take one step on the whole cohort and return each device's feedback, in the same order.

        Its learning rate is times `rate`, which leaves the feedback alone. What is drawn is keyed by the
        number of the step, and dealt out over the cohort in its order.
        """
        with self.draws.of("train"):
            answers = self.half.step(cohort, rate)
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
        return self.encode_gradient(device, feedback.gradient, asked)

    def copies(self) -> ServerCopies:
        """Return copies of the half as it is now."""
        return ServerCopies(self.half, self.draws)
