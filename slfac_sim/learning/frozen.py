"""Blocks whose weights stay as they are: no optimiser moves them, nothing averages, sends or keeps them.

A block that is frozen is a fixed function, in evaluation mode whatever is around it: batch-norm goes by the
statistics that it has, and nothing is dropped.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch import nn

from slfac_sim.foundation.errors import BadInput, did_you_mean

Block = tuple[str, nn.Module]


class Frozen(nn.Module):
    """A frozen `block`. Its weights are no parameters, and no state, of this module; copies share them."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self._fixed = (
            block.eval().requires_grad_(False),
        )  # in a tuple, so that it is no part of this module

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what the block makes of `inputs`."""
        output: torch.Tensor = self._fixed[0](inputs)
        return output

    @property
    def block(self) -> nn.Module:
        """The block that is frozen."""
        return self._fixed[0]

    def tensors(self) -> Iterator[torch.Tensor]:
        """Yield the weights and statistics of the block, in the order of its state."""
        yield from self._fixed[0].state_dict(keep_vars=True).values()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Frozen":
        return Frozen(self._fixed[0])

    def _apply(self, fn: Callable[[Any], Any], recurse: bool = True) -> "Frozen":
        """Take the block elsewhere (`to`), without touching that of copies."""
        first = next(self.tensors(), None)
        if first is not None and fn(first) is not first:
            self._fixed = (copy.deepcopy(self._fixed[0])._apply(fn),)
        return self


def frozen(blocks: Sequence[Block], names: Sequence[str]) -> list[Block]:
    """Return `blocks` with those called `names` frozen. Raises `BadInput` for other names, and for all."""
    known = [name for name, _ in blocks]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise BadInput(
            f"learning.freeze: no block '{unknown}' among {', '.join(known)}{did_you_mean(unknown, known)}"
        )
    made = [(name, Frozen(block) if name in names else block) for name, block in blocks]
    if not any(map(learns, (block for _, block in made))):
        raise BadInput(f"learning.freeze: with {', '.join(names)} frozen nothing would be left to learn")
    return made


def learns(part: nn.Module) -> bool:
    """Return whether `part` has weights that follow gradients."""
    return next(part.parameters(), None) is not None


def fixed_tensors(part: nn.Module) -> list[torch.Tensor]:
    """Return the weights and statistics of all that is frozen in `part`."""
    return list(chain.from_iterable(layer.tensors() for layer in part.modules() if isinstance(layer, Frozen)))


def has_weights(part: nn.Module) -> bool:
    """Return whether `part` has weights, be they frozen or not."""
    return learns(part) or bool(fixed_tensors(part))


def host_of(part: nn.Module) -> torch.device:
    """Return where the weights of `part` lie."""
    tensors = chain(part.parameters(), fixed_tensors(part), part.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))
