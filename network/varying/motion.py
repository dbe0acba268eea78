"""Where a device is at each time: straight legs, each at a constant speed. No clock here, and no radio."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from math import hypot, inf

import numpy as np

from slfac_sim.foundation.arrays import Floats

Point = tuple[float, float]
Leg = tuple[float, float, float]
"""When a leg ends (s), and where (x and y, m)."""

_NO_M2 = 1e-300


class Motion:
    """A way from `start_m` at time 0 over `legs`, which are taken as far as they are asked for.

    A leg may stay where it is, which is a pause. After the last leg the device stands still. `sides_m` are
    those of a rectangle around (0, 0) that it never leaves. `mean_mps` is its speed, in the mean of the time
    in which it moves; None: that of its legs, if they are a sequence.
    """

    def __init__(
        self,
        start_m: Point,
        legs: Iterable[Leg] = (),
        sides_m: Point | None = None,
        mean_mps: float | None = None,
    ) -> None:
        self._mean_mps = mean_mps
        self._sides_m, self._ends = sides_m, isinstance(legs, Sequence)
        self._legs = iter(legs)
        self._times_s, self._points_m, self._travelled_m = [0.0], [start_m], [0.0]

    @property
    def start_m(self) -> Point:
        """Where it begins."""
        return self._points_m[0]

    def at(self, t_s: float) -> Point:
        """Return the place at `t_s`."""
        self.until(t_s)
        leg = bisect_right(self._times_s, t_s) - 1
        if leg + 1 == len(self._times_s):
            return self._points_m[leg]
        begun_s, end_s = self._times_s[leg : leg + 2]
        (x_m, y_m), (to_x_m, to_y_m) = self._points_m[leg : leg + 2]
        part = (t_s - begun_s) / (end_s - begun_s)
        return x_m + part * (to_x_m - x_m), y_m + part * (to_y_m - y_m)

    @property
    def speed_mps(self) -> float:
        """Its speed, in the mean of the time in which it moves; 0 if it never does, or nobody knows it."""
        if self._mean_mps is None:
            self._mean_mps = self._found_mps() if self._ends else 0.0
        return self._mean_mps

    def until(self, t_s: float) -> tuple[Sequence[float], Sequence[float]]:
        """Return when legs end, up to the first after `t_s` if there is one, and how far it has come then."""
        while self._times_s[-1] <= t_s and self._goes_on():
            pass
        return self._times_s, self._travelled_m

    def reaches_s(self, travelled_m: float) -> float:
        """Return when the device has come so far along its way; infinite if it never does."""
        while self._travelled_m[-1] < travelled_m:
            if not self._goes_on():
                return inf
        leg = bisect_left(self._travelled_m, travelled_m)
        if leg == 0:
            return 0.0
        begun_s, end_s = self._times_s[leg - 1 : leg + 1]
        from_m, to_m = self._travelled_m[leg - 1 : leg + 1]
        return begun_s + (travelled_m - from_m) / (to_m - from_m) * (end_s - begun_s)

    def nearest_m(self, x_m: float, y_m: float) -> float:
        """Return how near it ever comes to a place; 0 where legs go on, perhaps for ever, in no rectangle."""
        if self._sides_m is not None:
            width_m, height_m = self._sides_m
            return hypot(max(abs(x_m) - width_m / 2.0, 0.0), max(abs(y_m) - height_m / 2.0, 0.0))
        if not self._ends:
            return 0.0
        self.until(inf)
        return _nearest_m(np.array(self._points_m), np.array([x_m, y_m]))

    def stopped(self) -> "Motion":
        """Return one that stays where this one begins."""
        return Motion(self.start_m)

    def _found_mps(self) -> float:
        times_s, travelled_m = (np.diff(each) for each in self.until(inf))
        moving_s = float(times_s[travelled_m > 0.0].sum())
        return float(travelled_m.sum()) / moving_s if moving_s > 0.0 else 0.0

    def _goes_on(self) -> bool:
        """Take the next leg, and say whether there was one."""
        leg = next(self._legs, None)
        if leg is None:
            return False
        at_s, x_m, y_m = leg
        if at_s > self._times_s[-1]:
            was_x_m, was_y_m = self._points_m[-1]
            self._travelled_m.append(self._travelled_m[-1] + hypot(x_m - was_x_m, y_m - was_y_m))
            self._times_s.append(at_s)
            self._points_m.append((x_m, y_m))
        return True


def _nearest_m(points_m: Floats, to_m: Floats) -> float:
    """Return how near straight ways from point to point [points, 2] come to another one."""
    from_m = to_m - points_m[:-1]
    along_m = np.diff(points_m, axis=0)
    square_m2 = np.maximum((along_m**2).sum(axis=1), _NO_M2)
    part = np.clip((from_m * along_m).sum(axis=1) / square_m2, 0.0, 1.0)
    ways_m = np.hypot(*(from_m - part[:, None] * along_m).T)
    return min(float(ways_m.min(initial=inf)), hypot(*(to_m - points_m[-1]).tolist()))
