"""Devices that go straight to places drawn at random, one after the other."""

from collections.abc import Iterator
from math import hypot, log
from typing import ClassVar

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import MetresPerSecond, Seconds
from slfac_sim.network.change import Target
from slfac_sim.network.change._area import Rectangle, Roaming
from slfac_sim.network.varying.motion import Leg, Motion, Point


@settings
class RandomWaypoint(Roaming):
    """Each goes to a place drawn uniformly in the area at a speed drawn for the leg, pauses, and goes on.

    It begins as it is at any time: on a leg by its length, at a place on it, at a speed by the time that it
    takes, or in a pause. So devices are nearer to the middle than uniform ones, from the start on.
    """

    references: ClassVar[tuple[str, ...]] = ("navidi2004stationary",)

    speed: tuple[MetresPerSecond, MetresPerSecond] = (0.5, 1.5)
    """The least and the greatest speed; that of each leg is drawn uniformly between them."""
    pause: Seconds = 0.0
    """For how long a device stays at each place."""

    def __post_init__(self) -> None:
        if self.speed[0] > self.speed[1]:
            raise ValueError(f"speed must rise (got {self.speed[0]:g} m/s, then {self.speed[1]:g} m/s)")

    @property
    def mean_pace_s_per_m(self) -> float:
        """The mean of 1 / speed over the legs."""
        slow, fast = self.speed
        return 1.0 / slow if slow == fast else log(fast / slow) / (fast - slow)

    def motion(self, target: Target, seed: int, radius_m: float) -> Motion:
        """Return the way of a device, by draws of its own."""
        area, purpose = self.rectangle(radius_m), f"change/{target.change}/{target.device}"
        start_m, first = self._begins(stream(seed, purpose), area)
        return Motion(
            start_m, self._legs(start_m, first, area, seed, purpose), area, 1.0 / self.mean_pace_s_per_m
        )

    def _begins(self, rng: np.random.Generator, area: Rectangle) -> tuple[Point, list[Leg]]:
        """Return where it is at time 0, and what is left of its leg or of its pause."""
        going_s = area.mean_leg_m * self.mean_pace_s_per_m
        if rng.random() * (going_s + self.pause) >= going_s:
            place_m = area.point_m(*rng.random(2).tolist())
            return place_m, [(self.pause * rng.random(), *place_m)]
        while True:
            one_m, other_m = (area.point_m(*rng.random(2).tolist()) for _ in range(2))
            if rng.random() * area.longest_m < _apart_m(one_m, other_m):
                break
        part, (slow, fast) = rng.random(), self.speed
        start_m = tuple(one + part * (other - one) for one, other in zip(one_m, other_m, strict=True))
        speed = slow * (fast / slow) ** rng.random()
        at_s = _apart_m((start_m[0], start_m[1]), other_m) / speed
        return (start_m[0], start_m[1]), [(at_s, *other_m), (at_s + self.pause, *other_m)]

    def _legs(
        self, start_m: Point, first: list[Leg], area: Rectangle, seed: int, purpose: str
    ) -> Iterator[Leg]:
        yield from first
        now_s, *place = first[-1]
        here_m, number = (place[0], place[1]), 0
        while True:
            number += 1
            along, across, quick = stream(seed, purpose, number).random(3).tolist()
            there_m = area.point_m(along, across)
            now_s += _apart_m(here_m, there_m) / (self.speed[0] + quick * (self.speed[1] - self.speed[0]))
            yield now_s, *there_m
            if self.pause > 0.0:
                now_s += self.pause
                yield now_s, *there_m
            here_m = there_m


def _apart_m(one_m: Point, other_m: Point) -> float:
    return hypot(other_m[0] - one_m[0], other_m[1] - one_m[1])
