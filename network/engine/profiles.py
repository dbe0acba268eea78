"""Capacities that change in time, piecewise constant. They know no share and no clock."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Protocol


class Varying(Protocol):
    """A value that changes in time, in steps; a change has happened at its own time."""

    def at(self, t_s: float) -> float:
        """Return the value at `t_s`."""

    def next_s(self, t_s: float) -> float:
        """Return the time of the first change after `t_s`, infinite when there is none."""


@dataclass(frozen=True)
class Profile:
    """A capacity: `before` until the first of `changes` (time in s, capacity from then on), then theirs.

    Without changes it is a constant. Raises `ValueError` unless times are finite and strictly
    increasing and every capacity is finite and not negative.
    """

    before: float
    changes: Sequence[tuple[float, float]] = ()
    _times: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        times = tuple(at_s for at_s, _ in self.changes)
        object.__setattr__(self, "_times", times)
        for capacity in (self.before, *(value for _, value in self.changes)):
            if not 0.0 <= capacity < inf:
                raise ValueError(f"a capacity must be finite and not negative: {capacity}")
        for earlier, later in zip((-inf, *times), (*times, inf), strict=True):
            if not earlier < later:
                raise ValueError(f"times of changes must be finite and increase: {later} after {earlier}")

    def at(self, t_s: float) -> float:
        """Return the capacity at `t_s`; a change has happened at its own time."""
        i = bisect_right(self._times, t_s)
        return self.changes[i - 1][1] if i else self.before

    def next_s(self, t_s: float) -> float:
        """Return the time of the first change after `t_s`, infinite when there is none."""
        i = bisect_right(self._times, t_s)
        return self._times[i] if i < len(self._times) else inf
