"""Availability: when hosts are down; it knows no model, no network and no clock.

One file per kind, chosen by `availability: {kind: ...}` of the devices or of the server. An availability is a
frozen dataclass of settings with one verb, `outages`. Each draw is keyed by the host's name.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slfac_sim.foundation.plugins import Family


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch of time in which a host is down: [`down_s`, `up_s`), in simulated seconds, and why.

    `up_s` is infinite if the host never comes back.
    """

    down_s: float
    up_s: float
    reason: str


class Availability(ABC):
    """Settings of when hosts are down: what every kind inherits."""

    @property
    def may_go_down(self) -> bool:
        """Whether a host can be down at all."""
        return True

    def check(self, hosts: Sequence[str]) -> None:  # noqa: B027  most kinds name no host
        """Raise `BadInput` for settings that name a host which is not among `hosts`."""

    @abstractmethod
    def outages(self, host: str, seed: int) -> Iterator[Outage]:
        """Yield the outages of `host` in order, without end perhaps; none begins before the last is over.

        The draws are those of ``stream(seed, "availability/<host>", n)``.
        """


FAMILY = Family(Availability)


def plans(availability: Availability, hosts: Sequence[str], seed: int) -> dict[str, Iterator[Outage]]:
    """Return the outages of each of `hosts`, for `players.simulated`. Raises as `Availability.check`."""
    availability.check(hosts)
    return {host: availability.outages(host, seed) for host in hosts}
