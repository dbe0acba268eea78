"""802.11 packet by packet: the DCF with its backoffs drawn. For validation, and for few senders.

The same channel as `csma`, which is its fluid and costs far less: here every exchange is an event.
"""

from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, SeedNumber
from slfac_sim.network.contract import Sharing
from slfac_sim.network.engine import Share
from slfac_sim.network.media._dcf import DcfShare
from slfac_sim.network.wifi.backoff import Backoff
from slfac_sim.network.wifi.station import Station
from slfac_sim.network.wifi.timing import DOUBLINGS, WINDOW


@settings
class Dcf(Station):
    """CSMA/CA; what the MAC gives up is counted, and then sent again as new: transfers are reliable.

    A sender serves its transfers in turn, one access each. A multicast that collides is given up at once. All
    losses are collisions, of a sender's first frame, so that with `rts` too it is the short retry limit that
    matters. A sender with something new to send draws a backoff even if the channel is free: simultaneous
    starts would all collide. The airtime of a transfer goes from the end of the last exchange that succeeded
    to that of its own.
    """

    shared: ClassVar[Sharing] = Sharing(adds_headers=True, bounded=False, multicasts_bounded=False)

    retry_limit: Count | None = 7
    """Attempts after which the MAC gives a frame up, which is then sent as a new one, with the shortest
    backoff; null: never. The default is the short retry limit of the standard.
    """
    seed: SeedNumber = 0
    """What backoffs are drawn from. A scenario leaves it out: there the seed of the air draws them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.retry_limit is not None and self.retry_limit < 1:
            raise ValueError(f"retry_limit must be at least 1, or null (got {self.retry_limit})")

    def share(self, users: int, capacity: float) -> Share:
        """Return the channel, empty.

        `Flow.rate_bps` is the PHY's rate and `Flow.bits` are UDP payload, sent by `Flow.src`; a flow to
        ``"*"`` is a multicast. `Flow.radiated_s` is the time of its data (and RTS) frames. Weights and caps
        of flows are not looked at.
        """
        backoff = Backoff(self.seed, WINDOW, DOUBLINGS, self.retry_limit)
        return DcfShare(self.exchanges, backoff, capacity)
