"""Fair sharing: every transfer under way has the same part of the time, on the whole band."""

from typing import ClassVar

from slfac_sim.foundation.citing import Reference
from slfac_sim.foundation.plugins import settings
from slfac_sim.network.engine import FluidShare, Share
from slfac_sim.network.media import Medium


@settings
class Fair(Medium):
    """Equal airtime, or by the weights of the flows: generalised processor sharing. Nothing to set."""

    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            key="parekh1993generalized",
            entry="article",
            title="A generalized processor sharing approach to flow control in integrated services networks: "
            "the single-node case",
            authors=("Parekh, Abhay K.", "Gallager, Robert G."),
            year=1993,
            within="IEEE/ACM Transactions on Networking",
            volume="1",
            number="3",
            pages="344-357",
            doi="10.1109/90.234856",
        ),
    )

    crowd_independent = True

    def share(self, users: int, capacity: float) -> Share:
        """Return the medium; it takes any number of users."""
        return FluidShare(capacity)
