"""Links that are up and down in turn, for exponential times."""

from bisect import bisect_right
from typing import Annotated

import numpy as np
from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Seconds
from slfac_sim.network.change import Effect, Target, Targeted
from slfac_sim.network.varying.courses import Course

_AT_ONCE = 64


@settings
class Outages(Targeted):
    """A link that is down carries nothing, and transfers go on where they were when it is up again.

    Up and down times make a Markov chain, which begins as it is at any time: down with probability
    mean_off / (mean_on + mean_off). Each device has outages of its own, both ways at once; what `on` names
    has them as a whole.
    """

    mean_on: Annotated[Seconds, Field(gt=0.0)] = 60.0
    """Mean time for which a link stays up."""
    mean_off: Annotated[Seconds, Field(gt=0.0)] = 5.0
    """Mean time for which it stays down."""

    def effect(self, target: Target, seed: int) -> Effect:
        """Return a factor of 1 and 0 in turn."""
        purpose = f"change/{target.change}/{target.device}"
        return Effect(factors=(OnOff(self.mean_on, self.mean_off, seed, purpose),))


class OnOff(Course):
    """1 and 0 in turn, drawn as far as it is asked for."""

    def __init__(self, mean_on_s: float, mean_off_s: float, seed: int, purpose: str) -> None:
        self._means_s, self._seed, self._purpose = (mean_on_s, mean_off_s), seed, purpose
        first = stream(seed, purpose).random()
        self._begins_up = bool(first >= mean_off_s / (mean_on_s + mean_off_s))
        self._changes_s = [0.0]

    def at(self, t_s: float) -> float:
        """Return 1 if it is up at `t_s`."""
        return float(self._begins_up == (self._place(t_s) % 2 == 0))

    def next_s(self, t_s: float) -> float:
        """Return when that changes."""
        return self._changes_s[self._place(t_s) + 1]

    @property
    def mean(self) -> float:
        """The part of the time in which it is up."""
        on_s, off_s = self._means_s
        return on_s / (on_s + off_s)

    @property
    def least(self) -> float:
        """0."""
        return 0.0

    @property
    def most(self) -> float:
        """1."""
        return 1.0

    def _place(self, t_s: float) -> int:
        """Return how many changes there were until `t_s`; one more is drawn."""
        while self._changes_s[-1] <= t_s:
            self._draw()
        return bisect_right(self._changes_s, t_s) - 1

    def _draw(self) -> None:
        """Draw `_AT_ONCE` times more; each so many are a stream of their own."""
        block = (len(self._changes_s) - 1) // _AT_ONCE
        spans_s = stream(self._seed, self._purpose, block + 1).standard_exponential(_AT_ONCE)
        spans_s[0::2] *= self._means_s[0 if self._begins_up else 1]
        spans_s[1::2] *= self._means_s[1 if self._begins_up else 0]
        self._changes_s += (self._changes_s[-1] + np.cumsum(spans_s)).tolist()
