"""One speed for all devices."""

from collections.abc import Sequence

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import FlopPerSecond
from slfac_sim.hosts.speeds import Speeds


@settings
class Fixed(Speeds):
    """The default is about that of a Raspberry Pi 4, an engineering value."""

    speed: FlopPerSecond = 5e9
    """FLOP/s that every device achieves in training, 2 per multiply-add."""

    def speeds(self, devices: Sequence[str], seed: int) -> dict[str, float]:
        """Return `speed` for each of the `devices`; nothing is drawn from `seed`."""
        return dict.fromkeys(devices, self.speed)
