"""Transports, one file a kind: what becomes of a message before its bits flow. They know no clock."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, Self

from slfac_sim.foundation.plugins import Family
from slfac_sim.network.transfers import Bursts, Path, Plan

UDP_HEADER_BYTES = 28
"""What IP (20) and UDP (8) cost a packet."""


@dataclass(frozen=True)
class Framing:
    """What packets cost on a lane.

    With `fluid` each `packet_bytes` of payload, or a part of them, cost `header_bytes` more (None: there are
    no packets). With a transport that has packets of its own each costs `layer2_bytes` beside the headers
    from IP up. Where a lane `holds_headers` its own timing has all of them, from UDP down: it is told of
    payload.
    """

    packet_bytes: int | None = None
    header_bytes: int = 0
    layer2_bytes: int = 0
    holds_headers: bool = False

    def __post_init__(self) -> None:
        if self.packet_bytes is not None and self.packet_bytes < 1:
            raise ValueError("packet_bytes must be at least 1")
        if self.header_bytes < 0 or self.layer2_bytes < 0:
            raise ValueError("header_bytes must be at least 0")

    def wire_bytes(self, payload_bytes: int) -> int:
        """Return `payload_bytes` with the headers that they have with `fluid`."""
        if self.packet_bytes is None:
            return payload_bytes
        return payload_bytes + -(-payload_bytes // self.packet_bytes) * self.header_bytes


class Message(NamedTuple):
    """What a transport is told of a transfer, the `number`-th from `src` to `dst`, which begins at `now_s`.

    `alone_bps` is what it would have of its lane if it were alone, `rtt_s` the latency there and back of a
    packet of no length. Of the links of its path, the rates of those that are `changing` are of the moment,
    and say nothing of how long a packet takes later. `takes_caps` says whether the lane keeps to the cap of
    a flow. `losses` are those on its access, as a mean and perhaps in bursts, where they are others than
    those of the transport.
    """

    src: str
    dst: str
    number: int
    payload_bytes: int
    path: Path
    framing: Framing
    alone_bps: float
    rtt_s: float
    now_s: float
    takes_caps: bool = True
    changing: Collection[str] = ()
    losses: tuple[float, Bursts | None] | None = None

    @property
    def receivers(self) -> tuple[str, ...]:
        """Who is to have it: of a multicast, those that its path leads to."""
        return self.path.devices if self.dst == "*" else (self.dst,)


class Sender(ABC):
    """The state of a transport: what it knows of the pairs of hosts that have sent through it."""

    @abstractmethod
    def plan(self, message: Message) -> Plan:
        """Return how `message` is sent. Draws are functions of its pair and number."""

    def rerouted(self, plan: Plan, message: Message, left_bits: float) -> Plan:
        """Return `plan` for its last `left_bits`, which go by the path of `message`, another one than before.

        How often packets are sent and who misses them is as it was planned. As it stands, so are cap and
        latency, each wire carries what the air does, and it loses nothing.
        """
        consumption = as_on_air(plan.bits, plan.wire_bytes, message.path)
        return plan._replace(consumption=consumption, lost_parts=())

    def ended(self, src: str, receivers: tuple[str, ...], now_s: float) -> None:
        """Hear that a transfer has arrived, for connections that are kept; as it stands, in vain."""
        return


def as_on_air(bits: float, wire_bytes: int, path: Path) -> tuple[float, ...]:
    """Return the consumption of wires that carry `wire_bytes`, of which the lane of `path` is told `bits`."""
    on_wires = 8.0 * wire_bytes / bits if bits > 0.0 else 1.0
    return (1.0, *(on_wires for _ in path.hops))


class Transport(ABC):
    """Settings of a transport. What one does not say of itself holds as it stands here."""

    @property
    def loss(self) -> float:
        """The probability that a packet is lost on an access link, as it stands 0; wires have their own."""
        return 0.0

    @property
    def gives_up(self) -> bool:
        """Whether a message is lost once a packet of it has been lost too often; as it stands it never is."""
        return False

    @property
    def counts_packets(self) -> bool:
        """Whether messages are cut into packets, so that links can lose them; as it stands they are."""
        return True

    @property
    def still(self) -> Self:
        """The same transport without losing messages, for forecasts; as it stands itself."""
        return self

    def framed(self, framing: Framing) -> Framing:
        """Return the packets that a survey tells of, where the lane has `framing`; as it stands that."""
        return framing

    @abstractmethod
    def sender(self, seed: int) -> Sender:
        """Return a sender whose draws are keyed by `seed`."""


FAMILY = Family(Transport, shared=("loss", "tries"))
