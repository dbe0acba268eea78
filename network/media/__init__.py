"""Media, one file per kind: how the transfers under way share one channel. They know no radio, no clock."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from slfac_sim.foundation.plugins import Family
from slfac_sim.network.contract import Sharing
from slfac_sim.network.engine import Flow, Share

Crowd = Literal["none", "power", "diversity"]
User = tuple[str, str]  # sender and receiver: of media that keep a place for each


class Medium(ABC):
    """Settings of a medium.

    A `Flow.rate_bps` is what the sender would have alone: for 802.11 the PHY rate, for all others the
    rate of its bits. `Flow.among`, where given, tells the rate over its part when n flows have a part.
    `crowd` is what makes it grow with n: nothing, a power-limited uplink, or the choice of fades. A medium
    says whether it heeds weights of flows, and whether both directions share it by nature. It `takes_caps` if
    it divides among the others what a flow at its cap leaves of the air; only then may wires behind it bind.
    """

    crowd: ClassVar[Crowd] = "none"
    heeds_weights: ClassVar[bool] = True
    takes_caps: ClassVar[bool] = False
    half_duplex: ClassVar[bool] = False
    shared: ClassVar[Sharing] = Sharing()

    @property
    @abstractmethod
    def crowd_independent(self) -> bool:
        """Whether no airtime depends on who else sends, and none is left idle while something waits."""

    @property
    def most_at_once(self) -> float:
        """How many flows are on the air at one instant, at most; as it stands, one after the other."""
        return 1.0

    def places(self, users: int) -> int:
        """Return how many equal parts of the medium there are for `users`, of which each has one to itself.

        0, as it stands, where all share the medium.
        """
        return 0

    @abstractmethod
    def share(self, users: int, capacity: float) -> Share:
        """Return the medium, empty, with `capacity` of the time (1: all of it).

        `users` is the number of pairs (src, dst) that may ever use it, for media with a fixed part for each.
        """


FAMILY = Family(Medium)


def user_of(flow: Flow) -> User:
    """Return whose flow it is: the pair of sender and receiver."""
    return flow.src, flow.dst


class Places:
    """Places 0, 1, ... for users, in the order in which they are first asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._numbers: dict[User, int] = {}

    def of(self, flow: Flow) -> int:
        """Return the place of the flow's user. Raises `ValueError` when all are taken by others."""
        number = self._numbers.setdefault(user_of(flow), len(self._numbers))
        if number >= self.count:
            raise ValueError(f"{flow.src} -> {flow.dst}: all {self.count} places on the medium are taken")
        return number
