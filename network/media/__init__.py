"""Media, one file per kind: how the transfers under way share one channel. They know no radio, no clock."""

from typing import Literal, Protocol

from slfac_sim.foundation.plugins import Family
from slfac_sim.network.engine import Share

Crowd = Literal["none", "power", "diversity"]


class Medium(Protocol):
    """Settings of a medium.

    A `Flow.rate_bps` is what the sender would have alone: for 802.11 the PHY rate, for all others the
    rate of its bits. `Flow.among`, where given, tells the rate over its part when n flows have a part.
    """

    @property
    def crowd(self) -> Crowd:
        """What makes `Flow.among` grow with n: nothing, a power-limited uplink, or the choice of fades."""
        ...

    @property
    def crowd_independent(self) -> bool:
        """Whether no airtime depends on who else sends, and none is left idle while something waits."""
        ...

    def share(self, users: int, capacity: float) -> Share:
        """Return the medium, empty, with `capacity` of the time (1: all of it).

        `users` is the number of pairs (src, dst) that may ever use it, for media with a fixed part for each.
        """
        ...


FAMILY = Family(Medium)
