"""Devices whose velocity changes by and by."""

from collections.abc import Iterator
from itertools import count
from math import ceil, floor, pi, sqrt
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import MetresPerSecond, Seconds
from slfac_sim.network.change import Target
from slfac_sim.network.change._area import Rectangle, Roaming
from slfac_sim.network.varying.motion import Leg, Motion

_AT_ONCE = 64


@settings
class GaussMarkov(Roaming):
    """Both parts of a velocity are normal, and remember the last interval; at a border they turn round.

    Devices are everywhere in the area alike, at the start and at any time.
    """

    references: ClassVar[tuple[str, ...]] = ("liang2003predictive",)

    speed: MetresPerSecond = 1.0
    """The mean speed; its law is Rayleigh's."""
    memory: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    """Correlation of a velocity with that of the interval before: 0 is a random walk, near 1 almost straight.
    """
    interval: Annotated[Seconds, Field(gt=0.0)] = 1.0
    """For how long a velocity lasts."""

    def motion(self, target: Target, seed: int, radius_m: float) -> Motion:
        """Return the way of a device, by draws of its own."""
        area, purpose = self.rectangle(radius_m), f"change/{target.change}/{target.device}"
        rng = stream(seed, purpose)
        parts, velocity = rng.random(2), rng.standard_normal(2)
        legs = self._legs(parts, velocity, area, seed, purpose)
        return Motion(area.point_m(*parts.tolist()), legs, area, self.speed)

    def _legs(
        self, parts: np.ndarray, velocity: np.ndarray, area: Rectangle, seed: int, purpose: str
    ) -> Iterator[Leg]:
        """Yield the legs of each interval. `parts` of the sides count on beyond the borders."""
        each = self.speed * sqrt(2.0 / pi) * self.interval / np.array(area)
        news = sqrt(1.0 - self.memory**2)
        for block in count(1):
            for number, normals in enumerate(stream(seed, purpose, block).standard_normal((_AT_ONCE, 2))):
                after = parts + each * velocity
                begun = (block - 1) * _AT_ONCE + number
                for part in [*_borders(parts, after), 1.0]:
                    inside = [_folded(at) for at in (parts + part * (after - parts)).tolist()]
                    yield (begun + part) * self.interval, *area.point_m(inside[0], inside[1])
                parts, velocity = after, self.memory * velocity + news * normals


def _borders(before: np.ndarray, after: np.ndarray) -> list[float]:
    """Return at which parts of the way borders are met, which lie at whole numbers."""
    met = []
    for one, other in zip(before.tolist(), after.tolist(), strict=True):
        low, high = min(one, other), max(one, other)
        met += [(border - one) / (other - one) for border in range(floor(low) + 1, ceil(high))]
    return sorted(met)


def _folded(part: float) -> float:
    """Return where one is that has turned round at each whole number."""
    turns = floor(part)
    return part - turns if turns % 2 == 0 else turns + 1 - part
