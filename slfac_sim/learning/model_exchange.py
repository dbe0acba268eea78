"""How models travel: the codec of each way, and the server's part of an exchange; no clock, no network.

A model, or a half, is sent as one message [1, values] for its state (`learning.weights`). What the devices
have in common lies on the server exactly, as float32 (`exact`); it goes through the codec when it is sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from slfac_sim.codecs import BadBody, BadTensor, Codec, Payload, Sender, Tensor
from slfac_sim.codecs.raw import Raw
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import kind_of
from slfac_sim.learning.divergence import sound
from slfac_sim.learning.states import Keeps
from slfac_sim.learning.weights import weighted_mean
from slfac_sim.scenario.schema import ModelCodecs

_EXACT = Raw()


def exact(state: Tensor) -> Payload:
    """Return `state` [values] as float32, as the server keeps it; of no values an empty body."""
    if not state.size:
        return Payload(b"", 0)
    return _EXACT.sender("model").encode(state.reshape(1, -1))


def state_in(model: bytes) -> Tensor:
    """Return the state [values] that `exact` made the body `model` of."""
    return decoded(_EXACT, model) if model else np.empty(0, np.float32)


def decoded(codec: Codec, body: bytes) -> Tensor:
    """Return the state [values] in a `body` of `codec`."""
    return codec.receiver().decode(body).reshape(-1)


def fit_for_models(codecs: ModelCodecs, state: Tensor) -> ModelCodecs:
    """Return `codecs`, tried on the initial `state` [values]. Raises `BadInput` for one that cannot send it.

    A message must stand alone: a device may have missed the ones before, and answers none.
    """
    for way, codec in (("uplink", codecs.uplink), ("downlink", codecs.downlink)) if state.size else ():
        try:
            _try(codec, state)
        except (BadTensor, BadBody) as fault:
            raise BadInput(f"codec.model.{way}: {kind_of(codec)} cannot send a model: {fault}") from fault
    return codecs


def _try(codec: Codec, state: Tensor) -> None:
    if codec.unfit_for_models:
        raise BadTensor(codec.unfit_for_models)
    sent = codec.sender("model").encode(state.reshape(1, -1), training=False)
    arrived = codec.receiver().decode(sent.body)
    if arrived.size != state.size:
        raise BadBody(f"{arrived.size} values arrive of {state.size}")


class ModelDevice(Keeps):
    """A device as far as it exchanges models with the server: its name, its place in device order.

    Its model, or half, has a state of `model_values` numbers, and beside these weights that are `frozen`
    [values], which it may have to be sent yet.
    """

    kept: ClassVar[tuple[str, ...]] = ("_model_up", "lacks_frozen")

    frozen: Tensor = np.empty(0, np.float32)
    lacks_frozen = False

    def __init__(self, name: str, place: int, models: ModelCodecs, model_values: int) -> None:
        self.name = name
        self.place = place
        self.model_values = model_values
        self._models = models
        self._model_up: Sender = models.uplink.sender(f"{name}/model")

    def has(self, frozen: Tensor, to_be_sent: bool) -> None:
        """Take note of the weights [values] that are `frozen` in its part."""
        self.frozen = frozen
        self.lacks_frozen = to_be_sent and frozen.size > 0

    def frozen_payload(self) -> Payload:
        """Return the bytes of its frozen weights: as they are, since nothing could make up for a loss."""
        return exact(self.frozen)

    @property
    def model_codec_flops(self) -> tuple[float, float]:
        """The equivalent FLOPs of encoding its model, and of decoding the server's."""
        up, down = self._models.uplink, self._models.downlink
        return self.model_values * up.encode_flops_per_value, self.model_values * down.decode_flops_per_value


class ModelServer(Keeps):
    """A server as far as it exchanges models with devices."""

    kept: ClassVar[tuple[str, ...]] = ("_model_down",)

    def __init__(self, name: str, models: ModelCodecs) -> None:
        self.name = name
        self._models = models
        self._model_down: Sender = models.downlink.sender(f"{name}/model")

    def model_codec_flops(self, values: int) -> tuple[float, float]:
        """Return the equivalent FLOPs of encoding a model of so many values, and of decoding a device's."""
        up, down = self._models.uplink, self._models.downlink
        return values * down.encode_flops_per_value, values * up.decode_flops_per_value

    def encode_model(self, model: Payload, sizes: Sequence[int]) -> Mapping[int, Payload]:
        """Return what is sent of `model`, which the devices have in common: by size, its first values."""
        state = state_in(model.body)
        return {values: self._model_down.encode(state[:values].reshape(1, -1)) for values in sizes}

    def decode_model(self, body: bytes) -> Tensor:
        """Return the state [values] in the `body` that a device has sent."""
        return decoded(self._models.uplink, body)

    def as_received(self, model: bytes) -> Tensor:
        """Return the state [values] that devices would have of `model` if they were sent it."""
        state = state_in(model)
        if not state.size:
            return state
        sent = self._models.downlink.sender("evaluation").encode(state.reshape(1, -1), training=False)
        return decoded(self._models.downlink, sent.body)

    def state_of(self, model: Payload) -> Tensor:
        """Return the state [values] of what the devices have in common."""
        return state_in(model.body)

    def in_common(self, state: Tensor) -> Payload:
        """Return what the devices have in common if that is `state` [values]."""
        return exact(state)

    def average(self, states: Sequence[Tensor], samples: Sequence[float]) -> Any:
        """Return the mean of `states`, weighted by the samples that each device used."""
        return exact(sound(weighted_mean(states, samples), self.name, "averaged weights"))
