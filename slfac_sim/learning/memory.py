"""The memory that a part of a model takes on a device while it learns, counted on a trial."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from slfac_sim.foundation.errors import BadInput
from slfac_sim.learning.frozen import fixed_tensors, learns
from slfac_sim.learning.trial import on_trial

_FLOAT = 4  # bytes
_TRIED = 4  # samples at most


@dataclass(frozen=True)
class Memory:
    """Bytes by what they are for, with one mini-batch of `batch` samples under way.

    `activations` wait for the backward pass; `smashed` are the output and the gradient that comes back for
    it, if the part learns. The data set, the codec's scratch memory and the software itself are not counted.
    """

    weights: int
    gradients: int
    optimiser: int
    activations: int
    smashed: int
    batch: int

    @property
    def total(self) -> int:
        """All of it, in bytes."""
        return self.fixed + self.activations + self.smashed

    @property
    def fixed(self) -> int:
        """What does not grow with the batch."""
        return self.weights + self.gradients + self.optimiser

    def largest_batch(self, available: float) -> int:
        """Return the largest batch with which it would fit into `available` bytes; 0 if none does."""
        each = (self.activations + self.smashed) / self.batch
        return max(0, math.floor((available - self.fixed) / each)) if each else self.batch


def memory_of(
    part: nn.Module, shape: tuple[int, ...], batch: int, optimiser: Callable[[Any], torch.optim.Optimizer]
) -> Memory:
    """Return the memory of `part` learning from mini-batches of `batch` samples of `shape`.

    `optimiser` opens an optimiser over parameters.
    """
    activations, output = _kept(part, shape, min(max(batch, 2), _TRIED))
    if batch > _TRIED:  # each further sample keeps as much as the last one
        fewer, _ = _kept(part, shape, _TRIED - 1)
        activations += (batch - _TRIED) * (activations - fewer)
    state = [*part.parameters(), *part.buffers(), *fixed_tensors(part)]
    learnt = _nbytes(part.parameters())
    return Memory(
        weights=_nbytes(state),
        gradients=learnt,
        optimiser=_remembered(learnt, optimiser),
        activations=round(activations * batch / max(batch, 2)),
        smashed=(1 + learns(part)) * _FLOAT * batch * math.prod(output),
        batch=batch,
    )


def _kept(part: nn.Module, shape: tuple[int, ...], samples: int) -> tuple[int, tuple[int, ...]]:
    """Return the bytes that `part` keeps of so many `samples` of `shape`, and the shape of its output.

    A single sample will not do: batch-norm in training mode refuses one value per channel.
    """
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = storage.nbytes()
        return tensor

    with on_trial(part) as (tried,), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = tried(torch.zeros((samples, *shape)))
    for tensor in (*tried.parameters(), *tried.buffers(), *fixed_tensors(tried), output):
        kept.pop(tensor.untyped_storage()._cdata, None)
    return sum(kept.values()), tuple(output.shape[1:])


def refuse_if_too_large(memory: Memory, available: float, whose: str, otherwise: str = "") -> None:
    """Raise `BadInput` with the figures if `memory` is more than the `available` bytes of `whose`.

    `otherwise` says what else would fit, as a clause.
    """
    if memory.total <= available:
        return
    parts = {
        "weights": memory.weights,
        "gradients": memory.gradients,
        "optimiser": memory.optimiser,
        "activations": memory.activations,
        "smashed data": memory.smashed,
    }
    needed = ", ".join(f"{name} {_shown(nbytes)}" for name, nbytes in parts.items())
    batch = memory.largest_batch(available)
    fitting = f"a batch of {batch} would fit" if batch else "no batch would fit"
    raise BadInput(
        f"devices.memory: {whose} has {_shown(available)}, and a batch of {memory.batch} needs"
        f" {_shown(memory.total)} ({needed}); {'; '.join(filter(None, [fitting, otherwise]))}"
    )


def _remembered(weights: int, optimiser: Callable[[Any], torch.optim.Optimizer]) -> int:
    """Return the bytes of the moments that the optimiser keeps of `weights`, as it keeps them of a few."""
    few = nn.Parameter(torch.zeros(8, 8))
    few.grad = torch.zeros(8, 8)
    opened = optimiser([few])
    opened.step()
    moments = [
        moment for moment in opened.state[few].values() if isinstance(moment, torch.Tensor) and moment.dim()
    ]
    return weights * _nbytes(moments) // _nbytes([few])


def _nbytes(tensors: Any) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _shown(nbytes: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= scale:
            return f"{nbytes / scale:.3g} {unit}"
    return f"{nbytes:.0f} B"
