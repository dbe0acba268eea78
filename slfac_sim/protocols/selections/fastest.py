"""The devices that would be done first, as a server that knows their speeds and links would choose."""

from collections.abc import Callable, Sequence

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.protocols.selections import Selection


@settings
class Fastest(Selection):
    """The devices whose round would be the shortest with the air and the server to themselves.

    The rule of thumb behind FedCS (Nishio and Yonetani, 2019, arXiv:1804.08333), without its deadline. Slow
    devices never take part, and neither does what only they know.
    """

    count: Count = 10
    """Devices of a round; all that are there, if they are fewer."""

    def choose(
        self, devices: Sequence[str], round_number: int, seed: int, expected_s: Callable[[str], float]
    ) -> list[str]:
        """Return the `count` fastest of the `devices`; of equals, the first in device order."""
        fastest = set(sorted(devices, key=expected_s)[: self.count])
        return [device for device in devices if device in fastest]

    def at_most(self, devices: int) -> int:
        """Return `count`, or all `devices` if they are fewer."""
        return min(self.count, devices)
