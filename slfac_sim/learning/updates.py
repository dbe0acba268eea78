"""How weights are moved, whoever learns: gradients cut to a norm, learning rates of the round; no clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@dataclass
class Updates:
    """What every step of every optimiser of a training has in common.

    Gradients longer than `clip_norm` are cut to it. Learning rates are times `rate`, which is that of the
    round that is under way. Statistics of batch-norm are as they were in the beginning if `norms_are_frozen`.
    """

    clip_norm: float | None = None
    rate: float = 1.0
    norms_are_frozen: bool = False

    def begin(self, model: nn.Module) -> None:
        """Put `model` into training mode; batch-norm that is frozen goes on by the statistics that it has."""
        model.train()
        for layer in model.modules() if self.norms_are_frozen else ():
            if isinstance(layer, _BatchNorm):
                layer.eval()

    def step(self, model: nn.Module, optimiser: torch.optim.Optimizer, rate: float = 1.0) -> None:
        """Move the weights of `model` along their gradients, with a learning rate that is also times `rate`.

        The norm is that of all gradients of the model as one vector (Pascanu et al., 2013, arXiv:1211.5063).
        """
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(list(model.parameters()), self.clip_norm)
        with _times(self.rate * rate, optimiser):
            optimiser.step()


@contextmanager
def _times(rate: float, optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """Have learning rates times `rate` inside the `with`."""
    rates = [group["lr"] for group in optimiser.param_groups]
    try:
        for group, usual in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = usual * rate
        yield
    finally:
        for group, usual in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = usual
