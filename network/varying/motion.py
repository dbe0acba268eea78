"""Where a device is at each time: straight legs, each at a constant speed. No clock here, and no radio."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from math import hypot, inf

Point = tuple[float, float]
Leg = tuple[float, float, float]
"""When a leg ends (s), and where (x and y, m)."""


class Motion:
    """A way from `start_m` at time 0 over `legs`, which are taken as far as they are asked for.

    A leg may stay where it is, which is a pause. After the last leg the device stands still.
    """

    def __init__(self, start_m: Point, legs: Iterable[Leg] = ()) -> None:
        self._legs = iter(legs)
        self._times_s, self._points_m, self._travelled_m = [0.0], [start_m], [0.0]

    @property
    def start_m(self) -> Point:
        """Where it begins."""
        return self._points_m[0]

    def at(self, t_s: float) -> Point:
        """Return the place at `t_s`."""
        while self._times_s[-1] <= t_s and self._goes_on():
            pass
        leg = bisect_right(self._times_s, t_s) - 1
        if leg + 1 == len(self._times_s):
            return self._points_m[leg]
        begun_s, end_s = self._times_s[leg : leg + 2]
        (x_m, y_m), (to_x_m, to_y_m) = self._points_m[leg : leg + 2]
        part = (t_s - begun_s) / (end_s - begun_s)
        return x_m + part * (to_x_m - x_m), y_m + part * (to_y_m - y_m)

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

    def stopped(self) -> "Motion":
        """Return one that stays where this one begins."""
        return Motion(self.start_m)

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
