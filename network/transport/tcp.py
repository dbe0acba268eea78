"""TCP: a connection, a window that grows from ten segments, and segments sent again until they arrive.

All of it is closed forms: what slow start costs a transfer that has its links to itself is added to its
latency, and the receiver's window and random losses bound its rate.
"""

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Annotated, ClassVar, Literal, Self

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Count, CountOrZero, Quantity
from slfac_sim.network.transport import Message, Sender
from slfac_sim.network.transport._losses import loss_of
from slfac_sim.network.transport._packets import Train
from slfac_sim.network.transport._sender import Pace, PacketSender, PacketTransport

INITIAL_WINDOW = 10
"""Segments (RFC 6928)."""
_SEGMENT_BYTES, _HEADER_BYTES = 1448, 52
_LEAST_TIMEOUT_S = 0.2  # beyond the round trip, as in Linux


@settings
class Tcp(PacketTransport):
    """Segments of 1448 bytes and 52 of IP and TCP with time stamps (MTU 1500).

    A multicast waits for connections with all its receivers, and is then one transmission of such segments,
    each sent again until all have it.
    """

    references: ClassVar[tuple[str, ...]] = ("rfc5681", "rfc6928", "mathis1997macroscopic")

    connection: Literal["persistent", "per_transfer"] = "persistent"
    """Whether two hosts keep their connection, so that only their first transfer pays for it, or make one for
    every transfer.
    """
    set_up: CountOrZero = 1
    """Round trips until a new connection carries data: 1 with TCP and with QUIC, 2 with TLS 1.3 over TCP."""
    restart_after_idle: bool = True
    """Whether a kept connection that was idle for its timeout (a round trip and 200 ms) begins with a small
    window again, as RFC 5681 has it and Linux does; otherwise it goes on with the window that it had.
    """
    rwnd: Annotated[float, Quantity("size", gt=0.0)] = 4 * 2.0**20
    """The receiver's window: a round trip carries so many bytes of payload at most."""
    tries: Count | None = None
    """How often a segment is sent at most. After the last try the message is lost, and its device is excused.
    null: as often as it takes.
    """

    @property
    def packet(self) -> tuple[int, int]:
        """What an MTU of 1500 bytes leaves, and the headers."""
        return _SEGMENT_BYTES, _HEADER_BYTES

    @property
    def most_tries(self) -> int | None:
        """How often a segment is sent at most."""
        return self.tries

    @property
    def still(self) -> Self:
        """The same with as many tries as it takes, and with connections that are kept made before."""
        return replace(self, tries=None, set_up=0 if self.connection == "persistent" else self.set_up)

    def sender(self, seed: int) -> Sender:
        """Return a sender that keeps connections."""
        return _TcpSender(self, seed)


@dataclass
class _Direction:
    """One direction of a connection: its window in segments, and when it was last in use."""

    window: float = INITIAL_WINDOW
    used_s: float = 0.0


class _TcpSender(PacketSender):
    def __init__(self, tcp: Tcp, seed: int) -> None:
        super().__init__(tcp, seed)
        self._tcp = tcp
        self._connected: set[frozenset[str]] = set()
        self._directions: dict[tuple[str, tuple[str, ...]], _Direction] = {}

    def pace(self, message: Message, packets: Train) -> Pace:
        tcp, pairs = self._tcp, {frozenset((message.src, receiver)) for receiver in message.receivers}
        empty_s = message.rtt_s + packets.there_and_back_s(0)
        _, most, _, rtt_s = self.pace_under_way(message, packets)
        wait_s = 0.0 if pairs <= self._connected else tcp.set_up * empty_s
        if tcp.connection == "persistent":
            self._connected |= pairs
        packet_s = max(packets.packet_s, 1.0 / most)
        window, start_s = slow_start(self._window(message, rtt_s), packets.count, packet_s, rtt_s)
        if tcp.connection == "persistent":
            self._directions[message.src, message.receivers] = _Direction(window, message.now_s)
        return Pace(wait_s, most, start_s, rtt_s)

    def pace_under_way(self, message: Message, packets: Train) -> Pace:
        rtt_s = message.rtt_s + packets.there_and_back_s(packets.payload_bytes)
        most = _most_per_s(self._tcp.rwnd / packets.payload_bytes, loss_of(packets), rtt_s)
        return Pace(packets_per_s=most, round_s=rtt_s)

    def ended(self, src: str, receivers: tuple[str, ...], now_s: float) -> None:
        """Hear that a transfer has arrived."""
        direction = self._directions.get((src, receivers))
        if direction is not None:
            direction.used_s = now_s

    def _window(self, message: Message, rtt_s: float) -> float:
        """Return with how many segments a transfer begins."""
        direction = self._directions.get((message.src, message.receivers))
        if direction is None:
            return INITIAL_WINDOW
        idle_s = message.now_s - direction.used_s
        restarts = self._tcp.restart_after_idle and idle_s > rtt_s + _LEAST_TIMEOUT_S
        return INITIAL_WINDOW if restarts else direction.window


def slow_start(window: float, count: int, packet_s: float, rtt_s: float) -> tuple[float, float]:
    """Return the window in the end, and how much later `count` packets are through than at full rate.

    The sender waits for the rest of each round trip in which it has sent its window, and doubles that, until
    it fills the round trip, of which each packet takes `packet_s`.
    """
    left, later_s = float(count), 0.0
    while left > window and window * packet_s < rtt_s:
        later_s += rtt_s - window * packet_s
        left -= window
        window *= 2.0
    return window, later_s


def _most_per_s(window: float, loss: float, rtt_s: float) -> float:
    """Return how many packets leave in a second at most.

    That is the receiver's window a round trip; with random losses also sqrt(1.5 / p) (Mathis et al., 1997).
    """
    if rtt_s == 0.0:
        return inf
    return min(window, sqrt(1.5 / loss) if loss > 0.0 else inf) / rtt_s
