"""The rectangle in which devices move about, and what all such ways have in common."""

from abc import abstractmethod
from math import hypot, log, sqrt
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Metres
from slfac_sim.network.change import Change, Effect, Target
from slfac_sim.network.varying.motion import Motion, Point

_Name = Annotated[str, Field(min_length=1)]
_Side = Annotated[Metres, Field(gt=0.0)]


@settings
class Moving(Change):
    """Devices that move. It changes no rate itself: that follows from where they are."""

    devices: Literal["all"] | Annotated[tuple[_Name, ...], Field(min_length=1)] = "all"
    """The devices that move: `all`, or a list of names."""

    @property
    def moves(self) -> bool:
        """Yes."""
        return True

    def effect(self, target: Target, seed: int) -> Effect:
        """Return nothing."""
        return Effect()

    @abstractmethod
    def motion(self, target: Target, seed: int, radius_m: float) -> Motion:
        """Return the way of the device of `target`."""


class Rectangle(NamedTuple):
    """`width_m` by `height_m`, with (0, 0) in the middle."""

    width_m: float
    height_m: float

    @property
    def mean_leg_m(self) -> float:
        """The mean distance of two places in it, drawn uniformly."""
        a, b = self.width_m, self.height_m
        d = hypot(a, b)
        along = a * a / b * log((b + d) / a) + b * b / a * log((a + d) / b)
        return (a**3 / b**2 + b**3 / a**2 + d * (3.0 - (a / b) ** 2 - (b / a) ** 2) + 2.5 * along) / 15.0

    @property
    def longest_m(self) -> float:
        """The greatest distance of two places in it."""
        return hypot(self.width_m, self.height_m)

    def point_m(self, along: float, across: float) -> Point:
        """Return a place by two parts of the sides."""
        return self.width_m * (along - 0.5), self.height_m * (across - 0.5)


@settings
class Roaming(Moving):
    """Devices that move about in a rectangle around (0, 0)."""

    area: tuple[_Side, _Side] | None = None
    """Width and height of the rectangle, with [0, 0] in the middle; null: the largest square within the
    circle around it that holds the cell, or all cells.
    """

    def rectangle(self, radius_m: float) -> Rectangle:
        """Return the area where cells lie within `radius_m` of (0, 0)."""
        return Rectangle(*(self.area or (sqrt(2.0) * radius_m,) * 2))
