"""Learning rates that fall in steps."""

from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, CountOrZero
from slfac_sim.learning.schedules import RateSchedule


@settings
class Step(RateSchedule):
    """Every so many rounds learning rates are multiplied by `by`.

    >>> stairs = Step(every=2, by=0.1)
    >>> [round(stairs.factor(number, 6), 9) for number in range(1, 7)]
    [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]
    """

    every: Count
    """Rounds from one step to the next, counted from the end of the `warmup`."""
    by: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    """What learning rates are multiplied by at each step."""
    warmup: CountOrZero = 0
    """Rounds in which learning rates rise in equal steps to the usual ones."""

    def part(self, round_number: int, rounds: int) -> float:
        """Return one factor for each step until then."""
        return float(self.by ** ((round_number - 1) // self.every))
