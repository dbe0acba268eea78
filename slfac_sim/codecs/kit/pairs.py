"""What joins the ends of a codec's streams beyond one message; it knows no codec and no clock.

A device's message is *asked*, the server's is its *answer*. All that passes between the ends is bytes; an
end may, but need not, have the methods below, and whoever holds it offers them what happened:

- the ends of the *answers* (server: sender, device: receiver) may `follow` the asked body;
- the sender of the *asked* may be told that its body arrived (`confirm`: the answer is there), and may
  `correct` the gradient that the answer carried.

An end that never hears of a confirmation must go on working: it then sends messages that stand alone.
"""

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs import Tensor
from slfac_sim.codecs.kit.wire import unseal
from slfac_sim.foundation import plugins

State = Mapping[str, Any]
"""A checkpoint of an end: texts, bytes (of some length), numbers, truth values, None, lists and mappings of
these, so that a reader of plain data (``torch.load(weights_only=True)``) takes it.
"""


@runtime_checkable
class Follows(Protocol):
    """An end of the answers that makes use of the asked body: both ends are given the same bytes."""

    def follow(self, asked: bytes) -> None:
        """Take the next message to be the answer to the body `asked`."""
        ...


@runtime_checkable
class Confirms(Protocol):
    """A sender that builds upon what the other end is known to hold."""

    def confirm(self, body: bytes) -> None:
        """Know that the other end has decoded `body`."""
        ...


@runtime_checkable
class Corrects(Protocol):
    """A sender that knows what its message lost, and makes use of it on the gradient that comes back."""

    def correct(self, asked: bytes, gradient: Tensor) -> Tensor:
        """Return the gradient to use instead of `gradient`, which answers the body `asked`."""
        ...


@runtime_checkable
class Checkpointed(Protocol):
    """An end with memory, which can be saved and restored."""

    def get_state(self) -> State:
        """Return all that the next message depends on."""
        ...

    def set_state(self, state: State) -> None:
        """Go on as the end that gave `state` would."""
        ...


def follow(end: object, asked: bytes | None) -> None:
    """Tell `end` that its next message answers the body `asked`, if it wants to know."""
    if asked is not None and isinstance(end, Follows):
        end.follow(asked)


def confirm(end: object, body: bytes | None) -> None:
    """Tell `end` that `body`, which it sent, has been decoded, if it wants to know."""
    if body is not None and isinstance(end, Confirms):
        end.confirm(body)


def correct(end: object, asked: bytes | None, gradient: Tensor) -> Tensor:
    """Return `gradient`, corrected by the sender of the body `asked`, if that does so."""
    if asked is not None and isinstance(end, Corrects):
        return end.correct(asked, gradient)
    return gradient


def support_of(body: bytes) -> NDArray[np.bool_] | None:
    """Return which values `body` carries ([samples, values of one]), from its bytes alone.

    None where its codec has no support: its module has no function `support`, or is not shipped. Raises
    `BadBody`.
    """
    kind = unseal(body).kind
    if kind not in plugins.kinds("slfac_sim.codecs"):
        return None
    told = getattr(importlib.import_module(f"slfac_sim.codecs.{kind}"), "support", None)
    return None if told is None else told(body)
