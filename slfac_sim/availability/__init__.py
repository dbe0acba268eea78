"""Availability: when hosts are down; it knows no model, no network and no clock.

One file per kind, chosen by `availability: {kind: ...}` of the devices or of the server. An availability is a
frozen dataclass of settings with one verb, `outages`. Each draw is keyed by the host's name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from slfac_sim.foundation.plugins import Family


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch of time in which a host is down: [`down_s`, `up_s`), in simulated seconds, and why.

    `up_s` is infinite if the host never comes back.
    """

    down_s: float
    up_s: float
    reason: str


class Availability(Protocol):
    """Settings of when hosts are down."""

    def outages(self, host: str, seed: int) -> Iterator[Outage]:
        """Yield the outages of `host` in order, without end perhaps; none begins before the last is over.

        The draws are those of ``stream(seed, "availability/<host>", n)``.
        """
        ...


FAMILY = Family(Availability)


def plans(availability: Availability, hosts: Sequence[str], seed: int) -> dict[str, Iterator[Outage]]:
    """Return the outages of each of `hosts`, for `players.simulated`; none if there is never any.

    A kind that names hosts has a method `check(hosts)`, which raises `BadInput` for one that is not there.
    """
    check = getattr(availability, "check", None)
    if check is not None:
        check(hosts)
    return {host: availability.outages(host, seed) for host in hosts}
