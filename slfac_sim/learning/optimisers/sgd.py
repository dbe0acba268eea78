"""SGD: steps along the gradient of a mini-batch, with momentum if asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import NotNegative, Positive

if TYPE_CHECKING:
    import torch


@settings
class Sgd:
    """The arithmetic is torch's."""

    learning_rate: Positive = 0.01
    """Step size, by which the gradient, or its running sum, is multiplied."""
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Decay of the running sum of gradients along which steps go; 0 takes the gradient alone."""
    weight_decay: NotNegative = 0.0
    """Multiple of each weight that is added to its gradient (L2 regularisation)."""
    nesterov: bool = False
    """Whether the gradient is taken as if one step of momentum ahead (Nesterov); it needs a `momentum`."""

    def __post_init__(self) -> None:
        if self.nesterov and self.momentum == 0.0:
            raise ValueError("nesterov needs a momentum above 0 (got 0)")

    def open(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return a new SGD over `parameters`, with a running sum of its own."""
        import torch

        from slfac_sim.learning.optimisers._eager import eager

        opened: torch.optim.Optimizer = eager(torch.optim.SGD)(
            parameters,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov,
            fused=True,
        )
        return opened
