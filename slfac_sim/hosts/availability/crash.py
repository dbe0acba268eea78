"""Hosts that crash, and come back after a restart or not at all."""

import math
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Seconds
from slfac_sim.hosts.availability import Availability, Outage

REASON = "crash"


@settings
class Crash(Availability):
    """A host that is up crashes at a constant rate, on average after `mean_between` (exponential times).

    It is up again after `restart`, or with `restart: null` never.
    """

    mean_between: Annotated[Seconds, Field(gt=0.0)] = 3600.0
    restart: Seconds | None = 60.0

    def outages(self, host: str, seed: int) -> Iterator[Outage]:
        """Yield crashes without end, or one from which the host does not come back."""
        up_s, number = 0.0, 0
        while up_s < math.inf:
            time_up = stream(seed, f"availability/{host}", number).standard_exponential()
            down_s = up_s + self.mean_between * time_up
            up_s = math.inf if self.restart is None else down_s + self.restart
            yield Outage(down_s, up_s, REASON)
            number += 1
