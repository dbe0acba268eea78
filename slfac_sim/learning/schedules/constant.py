"""Learning rates that stay as they are, but for the first rounds if those are to be gentle."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import CountOrZero
from slfac_sim.learning.schedules import RateSchedule


@settings
class Constant(RateSchedule):
    """Without a `warmup` it is as if there were no schedule."""

    warmup: CountOrZero = 0
    """Rounds in which learning rates rise in equal steps to the usual ones."""

    def part(self, round_number: int, rounds: int) -> float:
        """Return 1."""
        return 1.0
