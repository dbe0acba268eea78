"""One device on its way: its path loss, line of sight and shadow, in steps of travel. No clock here.

Shadows have Gudmundson's correlation exp(-d / d_cor) over the distance travelled: a first-order
autoregression from step to step. Whether there is a line of sight is drawn anew after 50 m; where that
changes, the shadow is another one.
"""

from bisect import bisect_right
from math import ceil, exp, inf, sqrt

import numpy as np

from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.streams import stream
from slfac_sim.network.radio.budget import Budget
from slfac_sim.network.radio.penetration import outside
from slfac_sim.network.radio.placement import Ground, linked
from slfac_sim.network.varying.courses import Course
from slfac_sim.network.varying.motion import Motion

_MOST_M = 5.0
_SEEN_M = 50.0
_OF_DECORRELATION = 0.25


class Walk:
    """The way of `device`, which is at `place` on the ground at the `start`; the one station is at 0, 0.

    Raises `BadInput` where links are shadowed and their path loss has no decorrelation distance.
    """

    def __init__(
        self, device: str, seed: int, motion: Motion, budget: Budget, start: Ground, place: int
    ) -> None:
        self._device, self._seed, self._motion, self._budget = device, seed, motion, budget
        self._k_normal = start.k_normal[place : place + 1]
        self._states = [(bool(start.los[place]), float(start.shadow[0, place]))]
        self._times_s = [0.0]
        self.decorrelation_m = _decorrelations_m(budget)
        self.step_m = min(_MOST_M, *(_OF_DECORRELATION * length_m for length_m in self.decorrelation_m))
        self._steps_seen = ceil(_SEEN_M / self.step_m)

    def step(self, t_s: float) -> int:
        """Return how many steps it has come by `t_s`."""
        while self._times_s[-1] <= t_s:
            self._times_s.append(self._motion.reaches_s(len(self._times_s) * self.step_m))
        return bisect_right(self._times_s, t_s) - 1

    def next_s(self, t_s: float) -> float:
        """Return when it comes to the next step, infinite if it never does."""
        return self._times_s[self.step(t_s) + 1]

    def state(self, step: int) -> tuple[bool, float]:
        """Return whether there is a line of sight at a step that it has come to, and its shadow.

        That is standard normal.
        """
        while len(self._states) <= step:
            self._draw()
        return self._states[step]

    def ground(self, step: int) -> Ground:
        """Return the device alone on the ground, where it is at a step that it has come to."""
        (los, shadow), xy_m = self.state(step), self._place_m(step)
        link = np.full((1, 1), los), outside(1), np.full((1, 1), shadow)
        return linked(xy_m, _from_middle_m(xy_m), *link, self._k_normal, self._budget)

    def _place_m(self, step: int) -> Floats:
        return np.array([self._motion.at(self._times_s[step])])

    def _draw(self) -> None:
        """Draw the states of 50 m more; each so much of the way is a stream of its own."""
        stretch, begins = divmod(len(self._states), self._steps_seen)
        rng = stream(self._seed, f"walk/{self._device}", stretch)
        seen, normals = rng.random(), rng.standard_normal(self._steps_seen).tolist()
        los, shadow = self._states[-1]
        if begins == 0:
            distance_m = _from_middle_m(self._place_m(len(self._states)))
            was, los = los, bool(seen < self._budget.pathloss.los_probability(distance_m)[0, 0])
            shadow = shadow if was == los else rng.standard_normal()
        kept = exp(-self.step_m / self.decorrelation_m[los])
        for normal in normals[begins:]:
            shadow = kept * shadow + sqrt(1.0 - kept**2) * normal
            self._states.append((los, shadow))


class Paces(Course):
    """1, told anew at each step of a `walk`: what changes then is the air itself."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    def at(self, t_s: float) -> float:
        """Return 1."""
        return 1.0

    def next_s(self, t_s: float) -> float:
        """Return when the next step begins."""
        return self._walk.next_s(t_s)

    @property
    def mean(self) -> float:
        """1."""
        return 1.0

    least = most = mean


def _decorrelations_m(budget: Budget) -> tuple[float, float]:
    """Return the distances of a link without and with a line of sight; infinite where nothing is shadowed."""
    both = np.array([False, True])
    if (
        budget.shadowing == "none"
        or not budget.pathloss.shadowing_sigma_db(np.full(2, _SEEN_M), both, budget.carrier_hz).any()
    ):
        return inf, inf
    without_m, with_m = budget.pathloss.decorrelation_m(both).tolist()
    return without_m, with_m


def _from_middle_m(xy_m: Floats) -> Floats:
    """Return [1 station, devices]."""
    return np.hypot(xy_m[:, 0], xy_m[:, 1])[None, :]
