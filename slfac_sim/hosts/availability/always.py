"""Hosts that are always up."""

from collections.abc import Iterator

from slfac_sim.foundation.plugins import settings
from slfac_sim.hosts.availability import Availability, Outage


@settings
class Always(Availability):
    """Only a battery that is used up can then take a device away."""

    @property
    def may_go_down(self) -> bool:
        """No."""
        return False

    def outages(self, host: str, seed: int) -> Iterator[Outage]:
        """Yield nothing; nothing is drawn from `seed`."""
        return iter(())
