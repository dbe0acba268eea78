"""A codec inside another one: what a wrapper inherits, its frame around the inner body, and who opens that.

A wrapper has a setting `codec`; wrappers are not nested.

>>> from slfac_sim.codecs.raw import Raw
>>> inner = Raw().sender("up").encode(np.ones(2, np.float32))
>>> whole = wrapped("mine", (1, 2), b"", inner)
>>> whole.nbytes - inner.nbytes, inner_body(whole.body) == inner.body
(16, True)
"""

import numpy as np

from slfac_sim.codecs import Backward, BadBody, Codec, Payload, Receiver, State, Tensor
from slfac_sim.codecs.kit.bodies import decode, shipped
from slfac_sim.codecs.kit.wire import framed, tell, unseal
from slfac_sim.foundation.plugins import kind_of


class Wrapper(Codec):
    """What every wrapper has of the codec that it wraps. Raises `ValueError` for another wrapper."""

    codec: Codec
    """The codec inside, which makes the bytes; none that itself has a codec inside."""

    def __post_init__(self) -> None:
        if isinstance(self.codec, Wrapper):
            raise ValueError(f"codec must not be {kind_of(self.codec)} itself")

    @property
    def backward(self) -> Backward:
        """As the inner codec's."""
        return self.codec.backward

    @property
    def may_lose_to_zeros(self) -> str:
        """Why the error may exceed the tensor's energy: the inner codec's reason; none if that has none."""
        return self.codec.may_lose_to_zeros


def wrapped(kind: str, shape: tuple[int, ...], settings: bytes, inner: Payload) -> Payload:
    """Return `inner` in a frame of `kind` for values of `shape`; its parts are those of both."""
    whole = framed(kind, shape, settings, [("inner", np.frombuffer(inner.body, np.uint8))])
    parts = dict(inner.parts) or {"symbols": inner.nbytes}
    parts["frame"] = parts.get("frame", 0) + whole.parts["frame"]
    return Payload(whole.body, whole.values, inner.notes, parts)


def inner_body(body: bytes) -> bytes:
    """Return the body inside that of a wrapper. Raises `BadBody`."""
    return bytes(unseal(body).content)


class NestedReceiver(Receiver):
    """Opens the inner bodies of `codec`, and those of any other shipped codec if they stand alone."""

    def __init__(self, codec: Codec) -> None:
        self._kind = kind_of(codec)
        self._receiver = codec.receiver()

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of the inner `body`. Raises `BadBody`."""
        frame = unseal(body)
        tell("frame", len(body) - len(frame.content))
        codec = None if frame.kind == self._kind else shipped(frame.kind)
        if codec is None:
            return self._receiver.decode(body)
        if issubclass(codec, Wrapper):
            raise BadBody(f"body: {frame.kind} inside another codec")
        return decode(body)

    def get_state(self) -> State:
        """Return the memory of the inner receiver, empty if it has none."""
        return self._receiver.get_state() or {}

    def set_state(self, state: State) -> None:
        """Take the memory of `get_state`."""
        self._receiver.set_state(state)
