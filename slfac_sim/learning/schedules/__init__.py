"""Schedules: by what learning rates are multiplied in each round; they know no weights and import no torch.

One file per kind, chosen by `learning: {schedule: {kind: ...}}`: a frozen dataclass of settings that inherits
from `RateSchedule` and writes one `part`.
"""

from abc import ABC, abstractmethod

from slfac_sim.foundation.plugins import Family


class RateSchedule(ABC):
    """What every schedule inherits: the rise of the first rounds, and what comes after it."""

    warmup: int = 0
    """Rounds of a linear rise before the schedule begins."""

    def factor(self, round_number: int, rounds: int) -> float:
        """Return by what learning rates are multiplied in `round_number`, from 1, of all `rounds`.

        In round r of a `warmup` of w rounds it is r/(w+1), so that the first round after it is at the full
        rate (gradual warm-up: Goyal et al., 2017, arXiv:1706.02677, 2.2).
        """
        if round_number <= self.warmup:
            return round_number / (self.warmup + 1)
        return self.part(round_number - self.warmup, rounds - self.warmup)

    @abstractmethod
    def part(self, round_number: int, rounds: int) -> float:
        """Return the part of the usual rate in `round_number`, from 1, of the `rounds` after the rise.

        It is within 0 and 1, and 1 in the first of them.
        """


FAMILY = Family(RateSchedule, shared=("warmup",))
