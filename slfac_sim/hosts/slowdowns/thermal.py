"""Thermal throttling: a host that has worked for long is slowed down until it has cooled."""

from typing import Annotated

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Seconds
from slfac_sim.hosts.slowdowns import Factor


@settings
class Thermal:
    """A host gathers heat while it works and loses it while it does not.

    Heat is counted in seconds of work at full speed. A throttled host adds none, since throttling is what
    holds the temperature. The state is looked at when a compute begins; one that gets too hot on its way ends
    at full speed.
    """

    factor: Annotated[float, Field(ge=1.0, le=1e3)] = 2.0
    """How many times as long a compute takes on a throttled host."""
    heats_in: Seconds = 60.0
    """Seconds of work at full speed after which a cold host is throttled."""
    cools_in: Annotated[Seconds, Field(gt=0.0)] = 60.0
    """Seconds of rest that take a host from that heat to none."""
    resumes: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5
    """Part of that heat down to which rest must bring a throttled host before it is at full speed again."""

    def open(self, host: str, seed: int) -> Factor:
        """Return the factor of `host`, which remembers its heat; nothing is drawn."""
        return _Heat(self).factor


class _Heat:
    """The heat of one host, in seconds of work, as its last compute will leave it at `until_s`."""

    def __init__(self, settings: Thermal) -> None:
        self._settings = settings
        self._heat_s = self._until_s = 0.0
        self._throttled = False

    def factor(self, now_s: float, number: int, nominal_s: float) -> float:
        """Return the factor of a compute that begins now, and take its heat into account."""
        own = self._settings
        rested_s = max(0.0, now_s - self._until_s)
        self._heat_s = max(0.0, self._heat_s - rested_s * own.heats_in / own.cools_in)
        limit_s = own.heats_in * (own.resumes if self._throttled else 1.0)
        self._throttled = self._heat_s > limit_s or (self._heat_s == limit_s and not self._throttled)
        factor = own.factor if self._throttled else 1.0
        self._until_s = max(now_s, self._until_s) + nominal_s * factor  # later, where computes overlap
        self._heat_s += 0.0 if self._throttled else nominal_s
        return factor
