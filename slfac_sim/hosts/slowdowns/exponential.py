"""Exponential times: every compute takes a random time of its nominal mean, without memory."""

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.hosts.slowdowns import Factor


@settings
class Exponential:
    """Durations are multiplied by exponential factors of mean 1: as irregular as waiting for a chance event.

    With these, formulas of queueing theory that ask for exponential service or thinking times hold.
    """

    def open(self, host: str, seed: int) -> Factor:
        """Return the factor of `host`, one draw for each compute."""

        def factor(now_s: float, number: int, nominal_s: float) -> float:
            return float(stream(seed, f"exponential/{host}", number).standard_exponential())

        return factor
