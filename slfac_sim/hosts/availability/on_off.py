"""Hosts that come and go: up and down for exponential times, in turn."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.streams import stream
from slfac_sim.foundation.units import Seconds
from slfac_sim.hosts.availability import Availability, Outage

REASON = "off"


@settings
class OnOff(Availability):
    """Each host is up and down in turn for exponential times, independently of all others.

    It is the alternating renewal process whose states form a Markov chain.
    """

    mean_on: Annotated[Seconds, Field(gt=0.0)] = 300.0
    """Mean time for which a host stays up."""
    mean_off: Annotated[Seconds, Field(gt=0.0)] = 30.0
    """Mean time for which a host stays down."""
    start: Literal["on", "stationary"] = "stationary"
    """With `stationary` a host is down at time 0 with probability mean_off / (mean_on + mean_off), which is
    then the part of the hosts that are down at any time; with `on` all begin up.
    """

    def outages(self, host: str, seed: int) -> Iterator[Outage]:
        """Yield outages without end; time n up and the time n down after it are one stream's two draws."""
        up_s = 0.0
        first = stream(seed, f"availability/{host}", 0)
        if self.start == "stationary" and first.random() < self.mean_off / (self.mean_on + self.mean_off):
            up_s = self.mean_off * first.standard_exponential()  # what is left: such times have no memory
            yield Outage(0.0, up_s, REASON)
        number = 0
        while True:
            number += 1
            times = stream(seed, f"availability/{host}", number)
            down_s = up_s + self.mean_on * times.standard_exponential()
            up_s = down_s + self.mean_off * times.standard_exponential()
            yield Outage(down_s, up_s, REASON)
