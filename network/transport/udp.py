"""UDP: datagrams, without connection or window; those that are lost may be sent again, or the message is."""

from dataclasses import replace
from typing import ClassVar, Self

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count
from slfac_sim.network.transport import UDP_HEADER_BYTES, Message, Sender
from slfac_sim.network.transport._packets import Train
from slfac_sim.network.transport._sender import Pace, PacketSender, PacketTransport


@settings
class Udp(PacketTransport):
    """Datagrams of 1472 bytes and 28 of IP and UDP. A message is whole when all of them have arrived.

    With more than one try an ARQ of the application's own (selective repeat) asks for those that are missing,
    one round trip after the others.
    """

    references: ClassVar[tuple[str, ...]] = ("rfc768",)

    tries: Count | None = 1
    """How often a datagram is sent at most, then the message is lost, and its device excused. 1: there is no
    ARQ; null: as often as it takes.
    """

    @property
    def packet(self) -> tuple[int, int]:
        """What an MTU of 1500 bytes leaves, and the headers."""
        return 1472, UDP_HEADER_BYTES

    @property
    def most_tries(self) -> int | None:
        """How often a datagram is sent at most."""
        return self.tries

    @property
    def still(self) -> Self:
        """The same with as many tries as it takes."""
        return replace(self, tries=None)

    def sender(self, seed: int) -> Sender:
        """Return a sender."""
        return _UdpSender(self, seed)


class _UdpSender(PacketSender):
    def pace(self, message: Message, packets: Train) -> Pace:
        return Pace(round_s=message.rtt_s)

    pace_under_way = pace
