"""Courses: values that change in time, in steps. A rate, a factor, a latency; no clock here."""

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import floor, inf


def stretch_of(t_s: float, length_s: float) -> int:
    """Return the number k of the stretch of time [k T, (k + 1) T), T = `length_s`, that holds `t_s`."""
    number = floor(t_s / length_s)
    return number + ((number + 1) * length_s <= t_s) - (number * length_s > t_s)


class Course(ABC):
    """A value for every time from 0 on. It is that of the last change, which has happened at its own time."""

    @abstractmethod
    def at(self, t_s: float) -> float:
        """Return the value at `t_s`."""

    @abstractmethod
    def next_s(self, t_s: float) -> float:
        """Return the time of the first change after `t_s`, infinite when there is none."""

    @property
    @abstractmethod
    def mean(self) -> float:
        """The mean over time."""

    @property
    @abstractmethod
    def least(self) -> float:
        """The least value that it ever has."""

    @property
    @abstractmethod
    def most(self) -> float:
        """The greatest one."""


class Constant(Course):
    """Always the same `value`."""

    def __init__(self, value: float) -> None:
        self._value = value

    def at(self, t_s: float) -> float:
        """Return it."""
        return self._value

    def next_s(self, t_s: float) -> float:
        """Return infinity."""
        return inf

    @property
    def mean(self) -> float:
        """It."""
        return self._value

    least = most = mean


class Steps(Course):
    """`values` from `times_s` on, of which the first is 0, up to `end_s`.

    What follows then is the same over again (`repeats`), or the value `after`. `mean` is that up to `end_s`.
    """

    def __init__(
        self,
        times_s: Sequence[float],
        values: Sequence[float],
        end_s: float,
        repeats: bool = False,
        after: float | None = None,
    ) -> None:
        ends_s = [*times_s[1:], end_s]
        spans = zip(times_s, ends_s, values, strict=True)
        self._mean = sum((until_s - from_s) * value for from_s, until_s, value in spans) / end_s
        self._least, self._most = min(values), max(values)
        if not repeats and after is not None:
            times_s, values = [*times_s, end_s], [*values, after]
            self._least = min(self._least, after)
        kept = [0, *(i for i, (one, other) in enumerate(pairwise(values), start=1) if one != other)]
        self._times_s, self._values = [times_s[i] for i in kept], [values[i] for i in kept]
        self._period_s = end_s if repeats and len(kept) > 1 else inf

    def at(self, t_s: float) -> float:
        """Return the value at `t_s`."""
        return self._values[self._place(t_s)[1]]

    def next_s(self, t_s: float) -> float:
        """Return the time of the first change after `t_s`."""
        turn, place = self._place(t_s)
        if place + 1 < len(self._times_s):
            return self._begins_s(turn, place + 1)
        if self._period_s == inf:
            return inf
        is_change = self._values[0] != self._values[-1]
        return self._begins_s(turn + 1, 0 if is_change else 1)

    @property
    def mean(self) -> float:
        """The mean up to `end_s`."""
        return self._mean

    @property
    def least(self) -> float:
        """The least value."""
        return self._least

    @property
    def most(self) -> float:
        """The greatest value."""
        return self._most

    def _begins_s(self, turn: int, place: int) -> float:
        """Return when a value begins, by the one sum by which it is also looked up."""
        return self._times_s[place] if turn == 0 else turn * self._period_s + self._times_s[place]

    def _place(self, t_s: float) -> tuple[int, int]:
        """Return which turn `t_s` is in, and the place of its value."""
        turn = 0 if self._period_s == inf else floor(t_s / self._period_s)
        turn += (turn + 1) * self._period_s <= t_s
        turn -= turn * self._period_s > t_s if turn else 0
        within_s = t_s - turn * self._period_s if turn else t_s
        place = max(bisect_right(self._times_s, within_s) - 1, 0)
        while place + 1 < len(self._times_s) and self._begins_s(turn, place + 1) <= t_s:
            place += 1
        while place and self._begins_s(turn, place) > t_s:
            place -= 1
        return turn, place
