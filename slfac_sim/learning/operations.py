"""The operations of a part of a model, forward and backward: their FLOPs and memory traffic."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from slfac_sim.learning.trial import Watching, on_trial

_RECURRENT = {torch.ops.aten.mkldnn_rnn_layer: 1, torch.ops.aten.mkldnn_rnn_layer_backward: 2}
"""A layer of an LSTM on CPUs, of which torch has no formula: a product with each matrix forward, two back."""


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
            if output.requires_grad:
                output.backward(gradient)
    return Passes(forward, backward)


@contextmanager
def recorded(samples: int) -> Iterator[list[Operation]]:
    """Yield a list of the operations on so many samples inside the `with`.

    Views and fresh memory move no data and are left out. Attention is two matrix products, whatever kernel
    this host has for it.
    """
    seen: list[Operation] = []

    def record(func: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> None:
        name = func.overloadpacket.__name__
        if not (func.is_view or name.startswith(("empty", "new_empty"))):
            flops = _flops(func.overloadpacket, args, kwargs, result)
            moved_bytes = sum(map(_stored_bytes, tree_leaves((args, kwargs, result))))
            seen.append(Operation(name, flops / samples, moved_bytes / samples))

    with sdpa_kernel(SDPBackend.MATH), Watching(record):
        yield seen


def _flops(packet: Any, args: Sequence[Any], kwargs: dict[str, Any], result: Any) -> float:
    """Return the FLOPs of an operation by torch's formula, where it has one.

    That of a convolution in groups has every output channel see every input channel in the gradient of the
    weights (torch 2.13), which sees its own group alone.
    """
    if packet in _RECURRENT:
        inputs, of_input, of_hidden = args[:3]
        steps = inputs.shape[0] * inputs.shape[1]
        return float(_RECURRENT[packet] * 2 * steps * (of_input.numel() + of_hidden.numel()))
    count = flop_registry.get(packet)
    if count is None:
        return 0.0
    flops = float(count(*args, **kwargs, out_val=result))
    if packet is torch.ops.aten.convolution_backward:
        *convolution, groups, mask = args
        of_weights = count(*convolution, groups, [False, mask[1], False], **kwargs, out_val=result)
        flops -= of_weights * (1.0 - 1.0 / groups)
    return flops


def _stored_bytes(value: Any) -> int:
    """Return the bytes of memory that a tensor stands for: less than its values' if it repeats some."""
    if not isinstance(value, torch.Tensor):
        return 0
    return min(value.numel() * value.element_size(), value.untyped_storage().nbytes())
