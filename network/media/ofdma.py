"""OFDMA with an equal split: n transfers under way have 1/n of the band each, all at once."""

from math import inf
from typing import ClassVar

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.network.engine import Share
from slfac_sim.network.engine.allotted import Allotment, AllottedShare
from slfac_sim.network.engine.served import Served
from slfac_sim.network.media import Crowd, Medium


@settings
class Ofdma(Medium):
    """A device, whose power is limited, puts all of it into its part of the band; a station spreads its own.

    So an uplink has n times its SNR there, and more than 1/n of its rate alone; it radiates as long as it is
    served. A downlink has 1/n of its rate, for 1/n of the power. (Tse and Viswanath, section 6.1: orthogonal
    multiple access.)
    """

    references: ClassVar[tuple[str, ...]] = ("tse2005fundamentals",)

    crowd: ClassVar[Crowd] = "power"
    crowd_independent = False
    heeds_weights = False
    takes_caps = True

    resource_blocks: Count | None = None
    """Most transfers that have a part of the band at one time; when there are more, they take turns on parts
    of that size. null: any number.
    """

    def __post_init__(self) -> None:
        if self.resource_blocks is not None and self.resource_blocks < 1:
            raise ValueError(f"resource_blocks must be at least 1 (got {self.resource_blocks})")

    @property
    def most_at_once(self) -> float:
        """The number of resource blocks; any number, if not given."""
        return inf if self.resource_blocks is None else self.resource_blocks

    def share(self, users: int, capacity: float) -> Share:
        """Return the medium; it takes any number of users.

        The rate of a power-limited sender, one with `Flow.among`, is among(n)/n. Weights are not looked at.
        """
        return AllottedShare(self._allot, capacity, refills=True)

    def _allot(self, flows: Served) -> Allotment:
        n = len(flows)
        at_once = n if self.resource_blocks is None else min(n, self.resource_blocks)
        radiating = flows.power_in_part(at_once) * at_once / n
        return flows.among(at_once) / n, np.full(n, 1.0 / n), radiating
