"""AdamW: Adam with a decay of weights that the moments do not see (Loshchilov, Hutter, ICLR 2019)."""

from __future__ import annotations

from typing import Any, ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import NotNegative
from slfac_sim.learning.optimisers.adam import Adam


@settings
class AdamW(Adam):
    """The arithmetic is torch's, without its variants."""

    references: ClassVar[tuple[str, ...]] = ("loshchilov2019decoupled",)

    weight_decay: NotNegative = 0.01
    """Multiple of the learning rate times each weight that is taken off it in a step."""

    @property
    def _kind(self) -> Any:
        import torch

        return torch.optim.AdamW
