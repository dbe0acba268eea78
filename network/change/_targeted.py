"""What the kinds that change links have in common: they say which."""

from typing import Annotated, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.change import Change

_Name = Annotated[str, Field(min_length=1)]


@settings
class Targeted(Change):
    """A change of a link, or of the access of devices."""

    on: _Name | None = None
    """The link that it changes: a wire (`core`, or one way of it, `core campus->edge1`), or a medium (`up`,
    `s0/up`, `air`; in a topology `campus/up`, and `campus` for all of them).
    """
    devices: Literal["all"] | Annotated[tuple[_Name, ...], Field(min_length=1)] | None = None
    """The devices whose access it changes, each by itself: `all`, or a list of names."""

    def __post_init__(self) -> None:
        if (self.on is None) == (self.devices is None):
            raise ValueError("say what changes: on: a link, or devices: all or a list (and not both)")
