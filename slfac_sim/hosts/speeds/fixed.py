"""All devices compute at one speed."""

from collections.abc import Sequence

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import FlopPerSecond
from slfac_sim.hosts.speeds import Speeds


@settings
class Fixed(Speeds):
    """Every device achieves `speed`."""

    speed: FlopPerSecond = 5e9

    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return `speed` for each of the `devices`; nothing is drawn from `seed`."""
        return dict.fromkeys(devices, self.speed)
