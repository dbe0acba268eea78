"""Anybody's torch module by its dotted name, cut at its blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slfac_sim.foundation.imported import found
from slfac_sim.foundation.plugins import settings

if TYPE_CHECKING:
    from torch import nn


@settings
class TorchModule:
    """An `nn.Sequential`, whose blocks are its children, or a module whose attribute `blocks` names them.

    That is a list of the names of submodules in the order in which data goes through them; what `forward`
    does must be that and nothing else. Initial weights are drawn anew from the seed (`learning.weights` takes
    trained ones). Number of channels and classes are the module's own affair, checked against the data.
    """

    module: str
    """A class, a function that returns a module, or a module: `my_nets.Net` is `Net` in `my_nets.py` beside
    the scenario, or in a module that Python finds.
    """
    arguments: dict[str, Any] | None = None
    """What it is called with, by keyword."""

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "module", found(self.module))
        except ValueError as error:
            raise ValueError(f"module: {error}") from None

    def blocks(self, channels: int, classes: int) -> list[tuple[str, nn.Module]]:
        """Return its blocks. Raises `BadInput` for what cannot be imported, made or cut."""
        from slfac_sim.learning.models._own import own_blocks

        return own_blocks(found(self.module), self.arguments or {})
