"""A codec inside another one: whose body a wrapper carries, and who opens it. It knows no codec by name."""

import numpy as np

from slfac_sim import codecs
from slfac_sim.codecs import BadBody, Codec, Payload, Receiver, Tensor
from slfac_sim.codecs.kit.pairs import Checkpointed, State
from slfac_sim.codecs.kit.wire import framed, tell, unseal
from slfac_sim.foundation import plugins

WRAPPERS = ("error_feedback", "on_support")


def refuse_wrappers(codec: Codec) -> None:
    """Raise `ValueError` if `codec` is itself a wrapper: wrappers are not nested."""
    if plugins.kind_of(codec) in WRAPPERS:
        raise ValueError(f"codec must not be {plugins.kind_of(codec)} itself")


def wrapped(kind: str, shape: tuple[int, ...], settings: bytes, inner: Payload) -> Payload:
    """Return `inner` in a frame of `kind` for values of `shape`; its parts are those of both."""
    whole = framed(kind, shape, settings, [("inner", np.frombuffer(inner.body, np.uint8))])
    parts = dict(inner.parts) or {"symbols": inner.nbytes}
    parts["frame"] = parts.get("frame", 0) + whole.parts["frame"]
    return Payload(whole.body, whole.values, inner.notes, parts)


class NestedReceiver:
    """Opens the inner bodies of `codec`, and those of any other shipped codec if they stand alone."""

    def __init__(self, codec: Codec) -> None:
        self._kind = plugins.kind_of(codec)
        self._receiver: Receiver = codec.receiver()

    def decode(self, body: bytes) -> Tensor:
        """Return the tensor of the inner `body`. Raises `BadBody`."""
        frame = unseal(body)
        kind = frame.kind
        if kind in WRAPPERS:
            raise BadBody(f"body: {kind} inside another codec")
        tell("frame", len(body) - len(frame.content))
        if kind != self._kind and kind in plugins.kinds("slfac_sim.codecs"):
            return codecs.decode(body)
        return self._receiver.decode(body)

    def get_state(self) -> State:
        """Return the memory of the inner receiver, if it has one."""
        return self._receiver.get_state() if isinstance(self._receiver, Checkpointed) else {}

    def set_state(self, state: State) -> None:
        """Take the memory of `get_state`."""
        if isinstance(self._receiver, Checkpointed):
            self._receiver.set_state(state)
