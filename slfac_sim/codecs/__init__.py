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
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation import plugins
from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import Family

if TYPE_CHECKING:
    from slfac_sim.codecs.kit.types import TypedReceiver, TypedSender

Tensor = NDArray[np.float32]
Backward = Literal["straight_through", "linear", "added_term"]
Settings = TypeVar("Settings")


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


class Sender(Protocol):
    """The encoding end of one stream of messages."""

    def encode(
        self, tensor: Tensor, sample_ids: NDArray[np.int64] | None = None, training: bool = True
    ) -> Payload:
        """Return the payload of `tensor` ([batch, channels, h, w], or any other shape that it takes).

        `sample_ids` ([batch]) name the samples for codecs that remember them; `training=False` asks
        for the form used in inference (no random choices). Raises `BadTensor`.
        """
        ...


class Receiver(Protocol):
    """The decoding end of one stream of messages."""

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of `body`, of the shape that was encoded, float32. Raises `BadBody`."""
        ...


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
        ...

    @property
    @abstractmethod
    def encode_flops_per_value(self) -> float:
        """Work to encode one value."""
        ...

    @property
    @abstractmethod
    def decode_flops_per_value(self) -> float:
        """Work to decode one value."""
        ...

    @abstractmethod
    def sender(self, stream: str) -> Sender:
        """Return a new sending end; `stream` names its random draws, if it makes any."""
        ...

    @abstractmethod
    def receiver(self) -> Receiver:
        """Return a new receiving end."""
        ...

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


FAMILY = Family(Codec, shared=("bits", "rate", "rounding", "values", "entropy", "header_dtype", "seed"))


def seeded(settings: Settings, seed: int) -> Settings:
    """Return `settings` (a codec, or what holds codecs) with `seed` added to every `seed` in them.

    So what codecs draw follows the seed of the run.
    """
    node: Any = settings
    changes: dict[str, Any] = {}
    for one in dataclasses.fields(node):
        value = getattr(node, one.name)
        if dataclasses.is_dataclass(value):
            changes[one.name] = seeded(value, seed)
        elif one.name == "seed":
            changes[one.name] = value + seed
    changed: Settings = dataclasses.replace(node, **changes)
    return changed


def typed_sender(codec: Codec, stream: str) -> "TypedSender":
    """Return a new sending end of `codec` that takes float32, float16 and bfloat16; bodies tell which."""
    from slfac_sim.codecs.kit import types as _types

    return _types.TypedSender(codec.sender(stream), stream)


def typed_receiver(codec: Codec) -> "TypedReceiver":
    """Return a new receiving end of `codec` that gives back the type of values that was sent."""
    from slfac_sim.codecs.kit import types as _types

    return _types.TypedReceiver(codec.receiver())


def decode(body: bytes) -> NDArray[Any]:
    """Return the tensor of `body`, in the type that was sent; needs only the bytes.

    For a body of any shipped codec without memory, or the first of one with memory.
    The frame names the codec. Raises `BadBody`, also for a codec that is not shipped: a body must not
    choose which foreign module is imported.
    """
    from slfac_sim.codecs.kit import wire as _wire  # it needs the errors above

    kind = _wire.unseal(body).kind
    if kind not in plugins.kinds("slfac_sim.codecs"):
        raise BadBody(f"body: made by codec {kind!r}, which is not one of ours")
    return typed_receiver(plugins.find("slfac_sim.codecs", kind)()).decode(body)
