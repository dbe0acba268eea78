"""FDMA: each user has its channel, 1/n of the band, for ever, whether it sends or not."""

from math import inf
from typing import ClassVar

import numpy as np

from slfac_sim.foundation.plugins import settings
from slfac_sim.network.engine import Share
from slfac_sim.network.engine.allotted import Allotment, AllottedShare
from slfac_sim.network.engine.served import Served
from slfac_sim.network.media import Crowd, Medium, Places


@settings
class Fdma(Medium):
    """A user is a pair (sender, receiver); its transfers share its channel by equal time.

    n is the number of users that there may ever be. A device, whose power is limited, puts all of it into its
    channel, and has more than 1/n of its rate alone; a station has 1/n of its rate, for 1/n of the power.
    """

    references: ClassVar[tuple[str, ...]] = ("rubin1979message",)

    crowd: ClassVar[Crowd] = "power"
    crowd_independent = False
    heeds_weights = False

    @property
    def most_at_once(self) -> float:
        """Any number: each has its channel."""
        return inf

    def places(self, users: int) -> int:
        """Return how many channels there are."""
        return users

    def share(self, users: int, capacity: float) -> Share:
        """Return the medium with a channel for each of `users`; one more raises `ValueError`.

        The rate of a power-limited sender, one with `Flow.among`, is among(n)/n in its channel.
        """
        return AllottedShare(_Channels(users), capacity)


class _Channels:
    def __init__(self, users: int) -> None:
        self._places = Places(users)

    def __call__(self, flows: Served) -> Allotment:
        n = self._places.count
        channels = np.array([self._places.of(flow) for flow in flows])
        time = 1.0 / np.bincount(channels)[channels]  # each flow's part of the time of its channel
        return flows.among(n) / n * time, time / n, flows.power_in_part(n) * time
