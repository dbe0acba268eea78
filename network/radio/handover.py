"""Which station serves a device on its way: event A3 of 3GPP TS 36.331 and 38.331. No clock here.

At each measurement the gains from all stations are filtered in dB. A station that has been better than the
serving one by a hysteresis at all measurements of a time to trigger takes the device over.
"""

from bisect import bisect_right
from math import ceil, floor, inf
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from slfac_sim.foundation.arrays import Bools, Floats
from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Decibels, Seconds
from slfac_sim.network.radio.walk import Walk

_AT_ONCE = 512  # measurements
_SETTLED_DB = 1e-6
_BACK_S = 1.0
_TINY = 1e-9


@settings
class HandoverRule:
    """When a device goes from one station to another: event A3, at the measurements of the device."""

    references: ClassVar[tuple[str, ...]] = ("ts38331",)

    hysteresis: Annotated[Decibels, Field(ge=0.0, le=30.0)] = 3.0
    """By how much another station must be better than the serving one. The more, the fewer handovers, and the
    later; with little, shadowing has devices go to and fro.
    """
    time_to_trigger: Annotated[Seconds, Field(le=60.0)] = 0.16
    """For how long it must be so, at all measurements."""
    filter: Annotated[float, Field(ge=0.0, le=19.0)] = 4.0
    """k of the layer 3 filter, F = (1 - a) F + a M with a = 1/2^(k/4) at each measurement M in dB; 0 filters
    nothing.
    """
    interval: Annotated[Seconds, Field(ge=1e-3, le=60.0)] = 0.04
    """Time between two measurements; the first is at time 0."""
    interruption: Annotated[Seconds, Field(le=60.0)] = 0.05
    """For how long no bit crosses after a handover; 0 where a device has both stations for a while (DAPS)."""

    @property
    def newest(self) -> float:
        """The weight a of a measurement."""
        return float(2.0 ** (-self.filter / 4.0))

    @property
    def in_a_row(self) -> int:
        """At how many measurements another station must be better."""
        return ceil(self.time_to_trigger / self.interval - _TINY) + 1


class Change(NamedTuple):
    """A handover at `at_s` from station `source` to `target`, by their places, whose filtered gains decided.

    `is_ping_pong`: the device had left `target` less than a second before.
    """

    at_s: float
    source: int
    target: int
    source_db: float
    target_db: float
    is_ping_pong: bool


class Serving:
    """The stations that serve a device on a `walk` over time, `first` at time 0.

    It looks ahead by blocks of measurements, each once; where the device stands and nothing is under way it
    leaps to the next step.
    """

    def __init__(self, rule: HandoverRule, walk: Walk, first: int) -> None:
        self._rule, self._walk = rule, walk
        self._changes: list[Change] = []
        self._times_s: list[float] = []
        self._left_s: dict[int, float] = {}
        self._first = self._station = first
        self._filtered = walk.gains_db([0])[:, 0]
        self._better = np.zeros(len(self._filtered), int)  # at how many measurements in a row
        self._counts_from_s = 0.0
        self._next = 0  # the number of the measurement
        self._known_s = 0.0

    def at(self, t_s: float) -> int:
        """Return the station at `t_s`."""
        change = self.last(t_s)
        return self._first if change is None else change.target

    def last(self, t_s: float) -> Change | None:
        """Return the last handover up to `t_s`."""
        self._look_ahead(t_s)
        place = bisect_right(self._times_s, t_s)
        return self._changes[place - 1] if place else None

    def next_s(self, t_s: float, until_s: float) -> float:
        """Return when the next handover after `t_s` is, infinite if there is none up to `until_s`."""
        self._look_ahead(until_s)
        place = bisect_right(self._times_s, t_s)
        at_s = self._times_s[place] if place < len(self._times_s) else inf
        return at_s if at_s <= until_s else inf

    def until(self, t_s: float) -> list[Change]:
        """Return the handovers up to `t_s`."""
        self._look_ahead(t_s)
        return self._changes[: bisect_right(self._times_s, t_s)]

    def _look_ahead(self, t_s: float) -> None:
        while self._known_s <= t_s and self._known_s < inf:
            self._measure()

    def _measure(self) -> None:
        """Take the next block of measurements."""
        times_s = self._rule.interval * np.arange(self._next, self._next + _AT_ONCE, dtype=np.float64)
        steps, of_each = np.unique(self._walk.steps(times_s), return_inverse=True)
        gains_db = self._walk.gains_db(steps.tolist())[:, of_each]
        filtered_db = self._filter(gains_db)
        self._decide(times_s, filtered_db)
        self._filtered, self._next = filtered_db[:, -1], self._next + _AT_ONCE
        self._known_s = self._rule.interval * self._next
        is_settled = bool(np.abs(self._filtered - gains_db[:, -1]).max() < _SETTLED_DB)
        if is_settled and len(steps) == 1 and not self._better.any():
            self._leap(float(times_s[-1]))

    def _leap(self, t_s: float) -> None:
        """Go on at the next step of the walk, if there is one."""
        step_s = self._walk.next_s(t_s)
        if step_s == inf:
            self._known_s = inf
            return
        while self._known_s < step_s:
            self._next = max(self._next + 1, floor(step_s / self._rule.interval))
            self._known_s = self._rule.interval * self._next

    def _filter(self, gains_db: Floats) -> Floats:
        """Return the filtered gains: sums of ever more measurements before each, 1, 2, 4, ... at a time."""
        newest = self._rule.newest
        filtered_db, kept, span = newest * gains_db, 1.0 - newest, 1
        filtered_db[:, 0] += kept * self._filtered
        while kept > 0.0 and span < _AT_ONCE:
            filtered_db[:, span:] += kept * filtered_db[:, :-span]
            kept, span = kept**2, 2 * span
        return filtered_db

    def _decide(self, times_s: Floats, filtered_db: Floats) -> None:
        """Find the handovers in a block."""
        begin = 0
        while begin < len(times_s):
            better = filtered_db[:, begin:] > filtered_db[self._station, begin:] + self._rule.hysteresis
            better[:, times_s[begin:] < self._counts_from_s] = False
            in_a_row = _in_a_row(better, self._better)
            triggered = in_a_row >= self._rule.in_a_row
            if not triggered.any():
                self._better = in_a_row[:, -1]
                return
            when = int(np.argmax(triggered.any(axis=0)))
            now_db, at_s = filtered_db[:, begin + when], float(times_s[begin + when])
            self._hand_over(at_s, int(np.argmax(np.where(triggered[:, when], now_db, -inf))), now_db)
            begin += when + 1

    def _hand_over(self, at_s: float, target: int, filtered_db: Floats) -> None:
        source = self._station
        is_ping_pong = at_s - self._left_s.get(target, -inf) < _BACK_S
        levels_db = float(filtered_db[source]), float(filtered_db[target])
        self._changes.append(Change(at_s, source, target, *levels_db, is_ping_pong))
        self._times_s.append(at_s)
        self._left_s[source] = at_s
        self._station, self._better = target, np.zeros_like(self._better)
        self._counts_from_s = at_s + self._rule.interruption


def _in_a_row(better: Bools, before: Floats) -> Floats:
    """Return at how many measurements in a row it was so up to each, with those `before` this block."""
    number = np.arange(1, better.shape[1] + 1)
    last_not = np.maximum.accumulate(np.where(better, 0, number), axis=1)
    return number - last_not + np.where(last_not == 0, before[:, None], 0)
