"""Retransmissions as means: tries, what they leave undelivered, and the time they cost. It draws nothing.

Each try of a block fails with the same probability, independently. Soft combining, which makes later
tries better than the first, is left out, so the figures are on the safe side.
"""

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, Part, Seconds


@settings
class Harq:
    """Blocks that fail are sent again, and each try fails with the same probability."""

    bler: Part = 0.1
    """Probability that a try of a block fails: all rates are multiplied by 1 less this. The default is what
    the thresholds of `nr_mcs` stand for.
    """
    max_tries: Count = 4
    """Tries of a block before a layer further up starts it anew. It bounds the mean delay, and changes no
    rate.
    """
    round_trip: Seconds = 0.004
    """Time from a try to the next; every transfer arrives later by this times the mean number of tries after
    the first. The default is 8 slots of 0.5 ms.
    """

    def __post_init__(self) -> None:
        if not 0.0 <= self.bler < 1.0:
            raise ValueError(f"bler must lie in [0, 1) (got {self.bler:g})")
        if self.max_tries < 1:
            raise ValueError(f"max_tries must be at least 1 (got {self.max_tries})")

    @property
    def goodput(self) -> float:
        """The part of the rate that is left: delivered blocks a try, 1 - BLER whatever `max_tries`."""
        return (1.0 - residual(self.bler, self.max_tries)) / mean_tries(self.bler, self.max_tries)

    @property
    def mean_delay_s(self) -> float:
        """The mean time by which a block's later tries delay it: what the last block adds to a transfer."""
        return (mean_tries(self.bler, self.max_tries) - 1.0) * self.round_trip


def mean_tries(failure: float, most: int) -> float:
    """Return the mean number of tries of a block, given up after `most`: (1 - p^m) / (1 - p)."""
    return (1.0 - failure**most) / (1.0 - failure)


def residual(failure: float, most: int) -> float:
    """Return the probability that `most` tries all fail: p^m."""
    return float(failure**most)
