"""Models as lists of named blocks, so that any boundary between two blocks is a cut; they know no clock.

One file per model, chosen by `kind:` in the scenario: a frozen dataclass of settings with the method
`blocks`. Settings import no torch; the modules behind them do, when they are built.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from slfac_sim.foundation.plugins import Family

if TYPE_CHECKING:
    from torch import nn


class Model(Protocol):
    """The settings of a model."""

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return the blocks in order, each with its name; the last one ends in logits [batch, classes].

        `channels` are those of the input images [batch, channels, h, w]. A block takes the output of
        the block before it and nothing else.
        """
        ...


class Chain(list[tuple[str, "nn.Module"]]):
    """Blocks that stand for a module with a forward pass of its own, `whole`; both must be one function."""

    def __init__(self, blocks: Iterable[tuple[str, nn.Module]], whole: nn.Module) -> None:
        super().__init__(blocks)
        self.whole = whole


FAMILY = Family(Model)
