"""One device on its way: its path losses, lines of sight and shadows, in steps of travel. No clock here.

Shadows have Gudmundson's correlation exp(-d / d_cor) over the distance travelled: a first-order
autoregression from step to step. Whether there is a line of sight is drawn anew after 50 m; where that
changes, the shadow is another one. Shadows of several stations keep a correlation of 0.5.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil, exp, inf, sqrt

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.streams import stream
from slfac_sim.network.contract import Station
from slfac_sim.network.radio.budget import Budget
from slfac_sim.network.radio.penetration import outside
from slfac_sim.network.radio.placement import Ground, distances_m, linked
from slfac_sim.network.radio.placement import sites_m as sites_of
from slfac_sim.network.radio.shadowing import between_sites
from slfac_sim.network.varying.motion import Motion, Point

LONGEST_STEP_M = 5.0
"""How far a device goes at most before its rates are found anew, outdoors."""

_SEEN_M = 50.0
_OF_DECORRELATION = 0.25


class Walk:
    """The way of `device`, which is at `place` on the ground at the `start`, among `stations`.

    Raises `BadInput` where links are shadowed and their path loss has no decorrelation distance.
    """

    def __init__(
        self,
        device: str,
        seed: int,
        motion: Motion,
        budget: Budget,
        start: Ground,
        place: int,
        stations: Sequence[Station],
        longest_step_m: float = LONGEST_STEP_M,
    ) -> None:
        self._device, self._seed, self._motion, self.budget = device, seed, motion, budget
        self.sites_m = sites_of(stations)
        self.k_normal = start.k_normal[place : place + 1]
        self._start = start.seen[:, place], start.shadow[:, place]
        self._stretches: list[tuple[Bools, Floats]] = []
        self._times_s = [0.0]
        self.decorrelation_m = _decorrelations_m(budget)
        self.step_m = min(
            longest_step_m, *(_OF_DECORRELATION * length_m for length_m in self.decorrelation_m)
        )
        self._stretch_steps = ceil(_SEEN_M / self.step_m)
        self._kept = np.array([exp(-self.step_m / length_m) for length_m in self.decorrelation_m])
        self._news = np.array([sqrt(1.0 - kept**2) for kept in self._kept.tolist()])

    def step(self, t_s: float) -> int:
        """Return how many steps it has come by `t_s`."""
        self._walk_until(t_s)
        return bisect_right(self._times_s, t_s) - 1

    def steps(self, times_s: Floats) -> NDArray[np.intp]:
        """Return the same for rising `times_s`."""
        self._walk_until(float(times_s[-1]))
        first = self.step(float(times_s[0]))
        return first - 1 + np.searchsorted(self._times_s[first:], times_s, side="right")

    def next_s(self, t_s: float) -> float:
        """Return when it comes to the next step, infinite if it never does."""
        return self._times_s[self.step(t_s) + 1]

    def state(self, step: int) -> tuple[Bools, Floats]:
        """Return the lines of sight [stations] at a step that it has come to, and the shadows.

        These are standard normal.
        """
        stretch, within = divmod(step, self._stretch_steps)
        los, shadow = self._stretch(stretch)
        return los, np.asarray(shadow[:, within])

    def gains_db(self, steps: Sequence[int]) -> Floats:
        """Return the gains [stations, steps] at `steps` to which it has come."""
        xy_m, away_m, los, shadow = _links(self.sites_m, [(self, step) for step in steps])
        return self.budget.gain_db(away_m, los, outside(len(xy_m)), shadow, xy_m)

    def place_m(self, step: int) -> Floats:
        """Return where it is at a step that it has come to, [1, 2]."""
        return np.array([self._motion.at(self._times_s[step])])

    def at_m(self, t_s: float) -> Point:
        """Return where it is at `t_s`, between two steps."""
        return self._motion.at(t_s)

    def _walk_until(self, t_s: float) -> None:
        while self._times_s[-1] <= t_s:
            self._times_s.append(self._motion.reaches_s(len(self._times_s) * self.step_m))

    def _stretch(self, stretch: int) -> tuple[Bools, Floats]:
        """Return the lines of sight [stations] in a stretch of 50 m, and the shadows [stations, steps]."""
        while len(self._stretches) <= stretch:
            self._stretches.append(self._drawn(len(self._stretches)))
        return self._stretches[stretch]

    def _drawn(self, stretch: int) -> tuple[Bools, Floats]:
        """Draw the next stretch; each is a stream of its own."""
        seen, fresh, normals = self._normals(stretch)
        shadows = np.empty(normals.shape)
        los, shadow = self._start
        first = 1
        if stretch == 0:
            shadows[:, 0] = shadow
        else:
            first, (was, before) = 0, self._stretches[-1]
            away_m = distances_m(self.sites_m, self.place_m(stretch * self._stretch_steps))
            los = seen < self.budget.pathloss.los_probability(away_m)[:, 0]
            shadow = np.where(los == was, before[:, -1], fresh)
        kept, news = self._kept[los.astype(int)], self._news[los.astype(int)]
        for step in range(first, self._stretch_steps):
            shadow = shadows[:, step] = kept * shadow + news * normals[:, step]
        return los, shadows

    def _normals(self, stretch: int) -> tuple[Floats, Floats, Floats]:
        """Return uniforms and normals [stations], and normals [stations, steps]; a station more adds a row.

        The only station has those that several have in common.
        """
        rng, steps = stream(self._seed, f"walk/{self._device}", stretch), self._stretch_steps
        seen, normals, fresh = rng.random(), rng.standard_normal(steps), rng.standard_normal(1)
        if len(self.sites_m) == 1:
            return np.array([seen]), fresh, normals[None, :]
        own = [(rng.random(), rng.standard_normal(1 + steps)) for _ in self.sites_m]
        seen_by, links = (np.array(each) for each in zip(*own, strict=True))
        return seen_by, between_sites(fresh, links[:, 0]), between_sites(normals, links[:, 1:])


def ground_of(walks: Sequence[Walk], steps: Sequence[int], serving: Sequence[int]) -> Ground:
    """Return the devices of `walks` alone on the ground, each at a step, and who serves them."""
    budget = walks[0].budget
    xy_m, away_m, los, shadow = _links(walks[0].sites_m, list(zip(walks, steps, strict=True)))
    k_normal = np.concatenate([walk.k_normal for walk in walks])
    link = los, outside(len(walks)), shadow
    return linked(xy_m, away_m, *link, k_normal, budget, np.array(serving))


def _links(sites_m: Floats, places: Sequence[tuple[Walk, int]]) -> tuple[Floats, Floats, Bools, Floats]:
    """Return walks at steps: where they are, and distances, lines of sight and shadows [stations, places]."""
    states = [walk.state(step) for walk, step in places]
    los, shadow = (np.stack(each, axis=1) for each in zip(*states, strict=True))
    xy_m = np.concatenate([walk.place_m(step) for walk, step in places])
    return xy_m, distances_m(sites_m, xy_m), los, shadow


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
