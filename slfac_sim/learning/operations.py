"""The operations of a part of a model, forward and backward: their FLOPs and memory traffic."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from slfac_sim.learning.trial import Watching, on_trial


@dataclass(frozen=True)
class Operation:
    """One tensor operation: its FLOPs per sample, 2 per multiply-add, and the bytes that it moves per sample.

    It reads each of its inputs from memory once and writes each of its outputs once: no two are fused, and
    nothing stays in a cache. Weights are read once a mini-batch.
    """

    name: str
    flops: float
    moved_bytes: float

    def equivalent_flops(self, flops_per_byte: float) -> float:
        """Return the FLOPs that take as long as this does, with `flops_per_byte` = speed / bandwidth.

        The roofline: whichever takes longer, computing or moving (Williams et al., 2009,
        doi:10.1145/1498765.1498785).
        """
        return max(self.flops, self.moved_bytes * flops_per_byte)


@dataclass(frozen=True)
class Passes:
    """The operations of the forward and of the backward pass."""

    forward: Sequence[Operation]
    backward: Sequence[Operation]


def operations(part: nn.Module, shape: tuple[int, ...], batch: int) -> Passes:
    """Return the operations of `part` on mini-batches of `batch` samples of `shape`.

    As for the work of a device, the backward pass begins with the gradient of the output and ends at the
    weights. The step of the optimiser is not in it.
    """
    batch = max(batch, 2)  # batch-norm in training mode refuses a single value per channel
    images = torch.zeros((batch, *shape))
    with on_trial(part) as (tried,):
        with recorded(batch) as forward:
            output = tried(images)
        gradient = torch.zeros_like(output)
        with recorded(batch) as backward:
            output.backward(gradient)
    return Passes(forward, backward)


@contextmanager
def recorded(samples: int) -> Iterator[list[Operation]]:
    """Yield a list of the operations on so many samples inside the `with`.

    Views and fresh memory move no data and are left out.
    """
    seen: list[Operation] = []

    def record(func: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> None:
        name = func.overloadpacket.__name__
        if not (func.is_view or name.startswith(("empty", "new_empty"))):
            count = flop_registry.get(func.overloadpacket)
            flops = count(*args, **kwargs, out_val=result) if count is not None else 0
            moved_bytes = sum(map(_stored_bytes, tree_leaves((args, kwargs, result))))
            seen.append(Operation(name, flops / samples, moved_bytes / samples))

    with Watching(record):
        yield seen


def _stored_bytes(value: Any) -> int:
    """Return the bytes of memory that a tensor stands for: less than its values' if it repeats some."""
    if not isinstance(value, torch.Tensor):
        return 0
    return min(value.numel() * value.element_size(), value.untyped_storage().nbytes())
