"""Fair sharing: every transfer under way has the same part of the time, on the whole band."""

from typing import ClassVar

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.contract import Sharing
from slfac_sim.network.engine import FluidShare, Share
from slfac_sim.network.media import Medium


@settings
class Fair(Medium):
    """Generalised processor sharing: equal parts, or parts by the weights of the transfers."""

    references: ClassVar[tuple[str, ...]] = ("parekh1993generalized",)
    shared: ClassVar[Sharing] = Sharing(in_turn=True)

    crowd_independent = True
    takes_caps = True

    def share(self, users: int, capacity: float) -> Share:
        """Return the medium; it takes any number of users."""
        return FluidShare(capacity)
