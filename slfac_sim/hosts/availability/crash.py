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
    """A host that is up crashes at a constant rate: the times between are exponential."""

    mean_between: Annotated[Seconds, Field(gt=0.0)] = 3600.0
    """Mean time for which a host is up before it crashes."""
    restart: Seconds | None = 60.0
    """How long a host that crashed is down; null: for good."""

    def outages(self, host: str, seed: int) -> Iterator[Outage]:
        """Yield crashes without end, or one from which the host does not come back."""
        up_s, number = 0.0, 0
        while up_s < math.inf:
            time_up = stream(seed, f"availability/{host}", number).standard_exponential()
            down_s = up_s + self.mean_between * time_up
            up_s = math.inf if self.restart is None else down_s + self.restart
            yield Outage(down_s, up_s, REASON)
            number += 1
