"""What hosts draw, in watts, while they do what; it knows no single host."""

from typing import Protocol

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import PowerDraw


class Power(Protocol):
    """What a host draws, in watts: `idle` always, each of the others on top of it."""

    @property
    def compute(self) -> float:
        """While its processor works."""
        ...

    @property
    def idle(self) -> float:
        """While it is up."""
        ...

    @property
    def transmit(self) -> float:
        """Its radio's electronics while it is on the air, beside what is radiated."""
        ...

    @property
    def receive(self) -> float:
        """Its radio's electronics while others send to it."""
        ...


@settings
class DevicePower:
    """What a device draws from its supply.

    A Raspberry Pi 4 draws 2.7 W idle and 6.4 W with four busy cores (J. Geerling, pidramble.com, "Power
    Consumption Benchmarks"). The radio's electronics are an engineering default: about what an LTE modem
    draws beside the part that grows with the rate, of which Huang et al. (MobiSys 2012,
    doi:10.1145/2307636.2307658) made a model; the figure was not checked against theirs. What is radiated
    comes on top.
    """

    compute: PowerDraw = 3.7
    """What a device draws on top of `idle` while it computes."""
    idle: PowerDraw = 2.7
    """What a device draws while it is up."""
    transmit: PowerDraw = 1.29
    """What its radio draws on top of `idle` while it sends, beside the power that is radiated."""
    receive: PowerDraw = 1.29
    """What its radio draws on top of `idle` while it receives."""


@settings
class ServerPower:
    """What the server and the station draw.

    All are engineering defaults. `compute` and `idle` are of the order of a server with one data-centre GPU,
    the radio's of a micro station at the least load, of which here only the time in which it sends or
    receives counts (for models of stations: Auer et al., IEEE Wireless Communications 18(5), 2011,
    doi:10.1109/MWC.2011.6056691; the figure was not checked against theirs).
    """

    compute: PowerDraw = 300.0
    """What the server draws on top of `idle` while it computes."""
    idle: PowerDraw = 150.0
    """What the server draws while it is up."""
    transmit: PowerDraw = 56.0
    """What the station's radio draws on top of `idle` while it sends, beside the power that is radiated."""
    receive: PowerDraw = 56.0
    """What the station's radio draws on top of `idle` while it receives."""
