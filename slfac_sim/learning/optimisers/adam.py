"""Adam: steps scaled by running moments of the gradient (Kingma, Ba, ICLR 2015, arXiv:1412.6980)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import NotNegative, Positive

if TYPE_CHECKING:
    import torch

Decay = Annotated[float, Field(ge=0.0, lt=1.0)]


@settings
class Adam:
    """The arithmetic is torch's, without its variants."""

    references: ClassVar[tuple[str, ...]] = ("kingma2015adam",)

    learning_rate: Positive = 1e-3
    """Step size, about which each weight moves in a step however large its gradient."""
    betas: tuple[Decay, Decay] = (0.9, 0.999)
    """Decays of the running mean of the gradient and of its square."""
    eps: Positive = 1e-8
    """What is added to the denominator, so that it is never 0."""
    weight_decay: NotNegative = 0.0
    """Multiple of each weight that is added to its gradient (L2 regularisation)."""

    def open(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return a new optimiser over `parameters`, with moments of its own."""
        from slfac_sim.learning.optimisers._eager import eager

        opened: torch.optim.Optimizer = eager(self._kind)(
            parameters,
            lr=self.learning_rate,
            betas=self.betas,
            eps=self.eps,
            weight_decay=self.weight_decay,
            fused=True,
        )
        return opened

    @property
    def _kind(self) -> Any:
        import torch

        return torch.optim.Adam
