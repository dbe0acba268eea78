"""AdamW: Adam with a decay of weights that the moments do not see (Loshchilov, Hutter, ICLR 2019)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import NotNegative, Positive
from slfac_sim.learning.optimisers.adam import Decay

if TYPE_CHECKING:
    import torch


@settings
class AdamW:
    """The arithmetic is torch's, without its variants."""

    references: ClassVar[tuple[str, ...]] = ("loshchilov2019decoupled",)

    learning_rate: Positive = 1e-3
    """Step size, about which each weight moves in a step however large its gradient."""
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    """Decays of the running mean of the gradient and of its square."""
    eps: Positive = 1e-8
    """What is added to the denominator, so that it is never 0."""
    weight_decay: NotNegative = 0.01
    """Multiple of the learning rate times each weight that is taken off it in a step."""

    def open(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return a new AdamW over `parameters`, with moments of its own."""
        import torch

        from slfac_sim.learning.optimisers._eager import eager

        opened: torch.optim.Optimizer = eager(torch.optim.AdamW)(
            parameters,
            lr=self.learning_rate,
            betas=self.betas,
            eps=self.eps,
            weight_decay=self.weight_decay,
            fused=True,
        )
        return opened
