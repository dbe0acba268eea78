"""Codecs: what makes bytes of a tensor and a tensor of bytes; they know no clock, no network, no torch.

One file per codec, chosen by `kind:` in the scenario. A codec is a frozen dataclass of settings that
opens a *sender* and a *receiver*, one pair per device and direction. Codecs without memory return
themselves for both; others keep their state there, and stay in step from bytes alone.
"""

import dataclasses
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Family

Tensor = NDArray[np.float32]
Backward = Literal["straight_through", "linear", "added_term"]
Settings = TypeVar("Settings")

State = Mapping[str, Any]
"""A checkpoint of an end: texts, bytes (of some length), numbers, truth values, None, lists and mappings of
these, so that a reader of plain data (``torch.load(weights_only=True)``) takes it.
"""


class BadBody(BadInput):
    """A body that is damaged, truncated, foreign or of an unknown version; nothing was decoded."""


class BadTensor(BadInput):
    """A tensor that cannot be encoded: NaN, infinity, or a shape that the codec does not take."""


@dataclass(frozen=True)
class Payload:
    """What one message carries: `body` goes over the air and `len(body)` is charged.

    `values` counts the numbers (activations, labels, weights) that the body stands for. `notes` are
    figures for the ledger, such as the mean bits of each band; nothing that decoding needs. `parts` are the
    bytes of the body by what they are for (`frame`, `ranges`, `symbols`, ...); they add up to its length.
    """

    body: bytes
    values: int
    notes: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """What is charged: the length of the body, header included."""
        return len(self.body)

    @property
    def sha256(self) -> str:
        """The body's fingerprint, as the ledger keeps it (first 16 hexadecimal digits)."""
        return hashlib.sha256(self.body).hexdigest()[:16]


class End:
    """One end of a stream of messages. What has a default here is for ends that remember.

    A device's message is *asked*, and the server's is its *answer*. All that passes between two ends is
    bytes, and whoever holds an end tells it what happened. An end that never hears of an arrival must go on
    working: it then sends messages that stand alone.
    """

    def follow(self, asked: bytes) -> None:
        """Take the next message to be the answer to the body `asked`; both ends of the answers are told."""
        return

    def get_state(self) -> State | None:
        """Return all that the next message depends on; None: nothing, as of a frozen dataclass.

        Raises `TypeError` for any other end that does not say: it may well remember something.
        """
        if dataclasses.is_dataclass(self) and self.__dataclass_params__.frozen:
            return None
        kind = f"{type(self).__module__}.{type(self).__qualname__}"
        raise TypeError(f"{kind} has no get_state and set_state, and is no frozen dataclass")

    def set_state(self, state: State) -> None:
        """Go on as the end that gave `state` would. Raises `ValueError` where nothing is remembered."""
        if state:
            raise ValueError(f"a {type(self).__name__} keeps nothing, and there is a state for one")


class Sender(End, ABC):
    """The encoding end of one stream of messages."""

    @abstractmethod
    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor` ([batch, channels, h, w], or any other shape that it takes).

        `sample_ids` ([batch]) name the samples for codecs that remember them; `training=False` asks
        for the form used in inference (no random choices). Raises `BadTensor`.
        """

    def confirm(self, body: bytes) -> None:
        """Know that the other end has decoded `body`, which this one sent: its answer is there."""
        return

    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return the gradient to learn from, where `gradient` answers the body `asked` of this end."""
        return gradient


class Receiver(End, ABC):
    """The decoding end of one stream of messages."""

    @abstractmethod
    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`, of the shape that was encoded, float32. Raises `BadBody`."""


class Codec(ABC):
    """Settings of a codec.

    Both FLOP figures are *equivalent* FLOPs per value, charged to the clock: CPU time a value of a whole
    batch's message [64, 64, 14, 14] times the training throughput of the same core (`benchmarks/codecs.py`).

    What has a default here is declared where it differs, as a class variable or a property; the tests of all
    codecs hold each to what it declares.
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """The codec's name for people, with the settings that make it: figures and tables show it."""

    @property
    @abstractmethod
    def encode_flops_per_value(self) -> float:
        """Work to encode one value."""

    @property
    @abstractmethod
    def decode_flops_per_value(self) -> float:
        """Work to decode one value."""

    @abstractmethod
    def sender(self, stream: str) -> Sender:
        """Return a new sending end; `stream` names its random draws, if it makes any."""

    @abstractmethod
    def receiver(self) -> Receiver:
        """Return a new receiving end."""

    remembers_samples: ClassVar[bool] = False
    """Whether its ends remember what they sent of a sample: then that must be the same image every time."""

    @property
    def partner(self) -> str | None:
        """The kind of codec in which gradients answer this one, with its defaults; None: this one itself.

        One codec given for both directions stands for itself and its partner.
        """
        return None

    @property
    def backward(self) -> Backward:
        """How the device learns from the gradient g of what arrived, when the partner brings it back.

        `straight_through`: from g, as if nothing were lost, as quantisers do. `linear`: what arrives is
        linear in what is sent, given what the message says beside its values (places, chances, keys), and the
        device learns from the vector-Jacobian product. `added_term`: from g and a term of the codec's own.
        """
        return "straight_through"

    @property
    def unbiased(self) -> bool:
        """Whether in training the mean of what arrives is what was sent."""
        return False

    @property
    def may_lose_to_zeros(self) -> str:
        """Why the squared error can be above the energy of the tensor, that of zeros; "": it cannot."""
        return ""

    @property
    def unfit_for_models(self) -> str:
        """Why no model can be sent, whose messages stand alone and answer none; "": it can."""
        return ""

    @staticmethod
    def support(body: bytes) -> NDArray[np.bool_] | None:
        """Return which values `body`, of this kind, carries ([samples, values of one]), from its bytes alone.

        None: all of them. Of what is told, `on_support` sends gradients for these alone. Raises `BadBody`.
        """
        return None


FAMILY = Family(Codec, shared=("bits", "rate", "rounding", "values", "entropy", "header_dtype", "seed"))


def seeded(settings: Settings, seed: int) -> Settings:
    """Return `settings` (a codec, or what holds codecs) with `seed` added to every `seed` in them.

    So what codecs draw follows the seed of the run.
    """
    node: Any = settings
    changes: dict[str, Any] = {}
    for field_ in dataclasses.fields(node):
        value = getattr(node, field_.name)
        if dataclasses.is_dataclass(value):
            changes[field_.name] = seeded(value, seed)
        elif field_.name == "seed":
            changes[field_.name] = value + seed
    return dataclasses.replace(node, **changes)  # type: ignore[no-any-return]
