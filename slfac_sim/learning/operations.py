"""The operations of a part of a model, forward and backward: FLOPs and memory traffic, from shapes alone."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


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
    on_meta = copy.deepcopy(part).to("meta").train()
    batch = max(batch, 2)  # batch-norm in training mode refuses a single value per channel
    with _Recorder(batch) as forward:
        output = on_meta(torch.empty((batch, *shape), device="meta"))
    gradient = torch.empty_like(output)
    with _Recorder(batch) as backward:
        output.backward(gradient)
    return Passes(forward.found, backward.found)


class _Recorder(TorchDispatchMode):
    """Writes down every operation that moves data; views and fresh memory move none."""

    def __init__(self, samples: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[Operation] = []
        self._samples = samples

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Perform the operation, and count it."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name = func.overloadpacket.__name__
        if not (func.is_view or name.startswith(("empty", "new_empty"))):
            count = flop_registry.get(func.overloadpacket)
            flops = count(*args, **kwargs, out_val=result) if count is not None else 0
            moved_bytes = sum(map(_stored_bytes, tree_leaves((args, kwargs, result))))
            self.found.append(Operation(name, flops / self._samples, moved_bytes / self._samples))
        return result


def _stored_bytes(value: Any) -> int:
    """Return the bytes of memory that a tensor stands for: less than its values' if it repeats some."""
    if not isinstance(value, torch.Tensor):
        return 0
    return min(value.numel() * value.element_size(), value.untyped_storage().nbytes())
