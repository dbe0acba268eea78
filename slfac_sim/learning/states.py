"""What learning holds from one round to the next, as plain trees that can be written down; no file, no clock.

A tree is made of dicts, lists, tuples, numbers, texts, bytes, None, NumPy arrays and torch tensors.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch

_PLAIN = (bool, int, float, str, bytes, type(None))


@runtime_checkable
class Checkpointed(Protocol):
    """What says itself what it keeps: ends of codecs, and whoever learns."""

    def get_state(self) -> Mapping[str, Any] | None:
        """Return all that later steps depend on; None: nothing."""
        ...

    def set_state(self, state: Any) -> None:
        """Go on as the one that gave `state` would."""
        ...


class Keeps:
    """Whoever learns and names in `kept` the attributes in which all of its state lies.

    These are numbers, modules, optimisers, ends of codecs, others that keep something, and lists and
    mappings of such. An attribute that is only made when it is first used is kept once it is there.
    """

    kept: ClassVar[tuple[str, ...]]

    def get_state(self) -> dict[str, Any]:
        """Return everything that later steps depend on; it shares memory with what it was taken from."""
        return {name: state_of(vars(self)[name]) for name in self.kept if name in vars(self)}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on as the one that gave `state` would."""
        for name, there in state.items():
            held = getattr(self, name)
            if isinstance(held, _PLAIN):
                setattr(self, name, there)
            else:
                restore(held, there)


def state_of(thing: Any) -> Any:
    """Return the state of `thing` as a tree; None if it keeps nothing.

    Raises `TypeError` for what does not say whether it has one: somebody else's codec with a memory, perhaps.
    """
    if isinstance(thing, _PLAIN):
        return thing
    if isinstance(thing, torch.nn.Module | torch.optim.Optimizer):
        return dict(thing.state_dict())
    if isinstance(thing, Mapping):
        return {key: state_of(part) for key, part in thing.items()}
    if isinstance(thing, Sequence):
        return [state_of(part) for part in thing]
    if isinstance(thing, Checkpointed):
        state = thing.get_state()
        return None if state is None else dict(state)
    raise TypeError(f"{type(thing).__module__}.{type(thing).__qualname__} has no get_state and set_state")


def restore(thing: Any, state: Any) -> None:
    """Let `thing` go on from `state`, which `state_of` returned for its like; `ValueError` otherwise."""
    if isinstance(thing, torch.nn.Module | torch.optim.Optimizer):
        thing.load_state_dict(state)
    elif isinstance(thing, Mapping):
        if not isinstance(state, Mapping) or thing.keys() != state.keys():
            raise ValueError(f"a state of other parts than {', '.join(map(str, thing))}")
        for key, part in thing.items():
            restore(part, state[key])
    elif isinstance(thing, Sequence):
        for part, there in zip(thing, state, strict=True):
            restore(part, there)
    elif isinstance(thing, Checkpointed):
        thing.set_state({} if state is None else state)
