"""Optimisers: settings that open a torch optimiser over the weights of one half.

One file per kind, chosen by `learning: {optimiser: {kind: ...}}`. Importing one imports no torch; opening
does. They take torch's fused implementations: on 11.7 million weights and one thread a step of Adam cost
12 ms of CPU (40 ms with `foreach`), one of SGD with momentum 9 ms (13 ms); repeated runs gave equal weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from slfac_sim.foundation.plugins import Family

if TYPE_CHECKING:
    import torch


class Optimiser(Protocol):
    """Settings of an optimiser; each device and the server opens its own, with its own moments."""

    def open(self, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
        """Return a new optimiser over `parameters`. Raises `ValueError` when there are none."""
        ...


FAMILY = Family(Optimiser)
