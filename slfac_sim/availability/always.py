"""Hosts that are always up."""

from collections.abc import Iterator

from slfac_sim.availability import Outage
from slfac_sim.foundation.plugins import settings


@settings
class Always:
    """No host is ever down."""

    def outages(self, host: str, seed: int) -> Iterator[Outage]:
        """Yield nothing; nothing is drawn from `seed`."""
        return iter(())
