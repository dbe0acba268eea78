"""Learning rates that fall along half a cosine, slowly at first and at the end."""

import math
from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import CountOrZero, Part
from slfac_sim.learning.schedules import RateSchedule


@settings
class Cosine(RateSchedule):
    """From the full rate in the first round down to nearly `floor` times it in the last.

    In round r of R it is floor + (1 - floor) (1 + cos(pi (r - 1) / R)) / 2, with rounds counted from the end
    of the `warmup` (Loshchilov, Hutter, 2017, eq. 5, without restarts). R is `protocol.rounds`, also where
    the training stops before (`learning.until`).

    >>> wave = Cosine(warmup=1)
    >>> [round(wave.factor(number, 5), 4) for number in range(1, 6)]
    [0.5, 1.0, 0.8536, 0.5, 0.1464]
    """

    references: ClassVar[tuple[str, ...]] = ("loshchilov2017sgdr",)

    floor: Part = 0.0
    """The part of the usual rate towards which it falls."""
    warmup: CountOrZero = 0
    """Rounds in which learning rates rise in equal steps to the usual ones."""

    def part(self, round_number: int, rounds: int) -> float:
        """Return the cosine's part."""
        fallen = (1.0 + math.cos(math.pi * (round_number - 1) / rounds)) / 2.0
        return self.floor + (1.0 - self.floor) * fallen
