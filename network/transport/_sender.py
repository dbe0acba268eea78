"""What `tcp` and `udp` have in common: from a message in packets to a plan."""

from abc import abstractmethod
from itertools import accumulate
from math import inf
from typing import Any, NamedTuple

from slfac_sim.foundation.plugins import settings
from slfac_sim.foundation.units import Part
from slfac_sim.network.transfers import Later, Plan
from slfac_sim.network.transport import Framing, Message, Sender, Transport
from slfac_sim.network.transport._losses import Given, given
from slfac_sim.network.transport._packets import Train, capped_s, train


class Pace(NamedTuple):
    """How fast packets leave: after `wait_s`, at most `packets_per_s`, and `start_s` later for a slow start.

    Each round of packets after the first comes `round_s` later.
    """

    wait_s: float = 0.0
    packets_per_s: float = inf
    start_s: float = 0.0
    round_s: float = 0.0


@settings
class PacketTransport(Transport):
    """Settings of a transport that has packets of its own."""

    loss: Part = 0.0
    """Probability that a packet is lost on its access link, on which it then was in vain. The wires of a
    topology have a `loss` of their own.
    """

    def __post_init__(self) -> None:
        if self.loss >= 1.0:
            raise ValueError(f"loss must be below 1 (got {self.loss:g})")

    @property
    @abstractmethod
    def packet(self) -> tuple[int, int]:
        """Most payload of a packet, and its headers from IP up, in bytes."""

    @property
    @abstractmethod
    def most_tries(self) -> int | None:
        """How often a packet is sent at most; None: as often as it takes."""

    @property
    def gives_up(self) -> bool:
        """Whether there is a last try."""
        return self.most_tries is not None

    def framed(self, framing: Framing) -> Framing:
        """Return its own packets, on a lane with the layer 2 of `framing`."""
        packet_bytes, header_bytes = self.packet
        return Framing(packet_bytes, header_bytes + framing.layer2_bytes, framing.layer2_bytes)


class PacketSender(Sender):
    """Sends in the packets of `transport`."""

    def __init__(self, transport: PacketTransport, seed: int) -> None:
        self._form: Any = (*transport.packet, transport.loss)
        self._header_bytes = transport.packet[1]
        self._most_tries, self._seed = transport.most_tries, seed

    def plan(self, message: Message) -> Plan:
        """Return how `message` is sent."""
        if message.payload_bytes == 0:
            return Plan(0.0, 0, (1.0,) * (1 + len(message.path.hops)))
        packets = train(message, *self._form)
        sent = given(message, packets, self._seed, self._most_tries)
        pace = self.pace(message, packets)
        consumption, first = _consumption(packets, sent)
        bits = 8.0 * first
        cap_bps = pace.packets_per_s * bits / sent.packets[0]
        later_s = pace.start_s + packets.stored_s + (len(sent.rounds) - 1) * pace.round_s
        later_s += capped_s(bits, cap_bps, message)
        ends = accumulate(sent.rounds)
        return Plan(
            bits=bits,
            wire_bytes=first + self._held_bytes(message, packets, sent),
            consumption=consumption,
            cap_bps=cap_bps if message.takes_caps else inf,
            wait_s=pace.wait_s,
            latency_s=later_s,
            rounds_bits=tuple(bits * end / sent.packets[0] for end in ends),
            lost_parts=_lost_by_place(packets, sent),
            missed=sent.missed,
            is_lost=bool(sent.missed) and len(sent.missed) == len(message.receivers),
            later=_later(message, packets, pace, cap_bps)._replace(kept_s=pace.start_s),
        )

    def rerouted(self, plan: Plan, message: Message, left_bits: float) -> Plan:
        """Return `plan` with what the links of another path carry and lose, and with its cap and latency."""
        packets = train(message, *self._form)
        sent = given(message, packets, self._seed, self._most_tries)
        consumption, _ = _consumption(packets, sent)
        pace = self.pace_under_way(message, packets)
        cap_bps = pace.packets_per_s * plan.rounds_bits[0] / packets.count  # the first round has each once
        plan = plan.on_another_way(left_bits, _later(message, packets, pace, cap_bps))
        return plan._replace(
            consumption=consumption,
            cap_bps=cap_bps if message.takes_caps else inf,
            lost_parts=_lost_by_place(packets, sent),
        )

    @abstractmethod
    def pace(self, message: Message, packets: Train) -> Pace:
        """Return how fast the packets leave."""

    @abstractmethod
    def pace_under_way(self, message: Message, packets: Train) -> Pace:
        """Return the same for a message that is under way already: it waits no more, and no start is slow."""

    def _held_bytes(self, message: Message, packets: Train, sent: Given) -> int:
        """Return what the lane's own timing holds of the headers, of which its flow is not told."""
        if not message.framing.holds_headers:
            return 0
        (lane,) = (i for i, crossing in enumerate(packets.crossings) if crossing.place == 0)
        each = self._header_bytes + message.framing.layer2_bytes - packets.crossings[lane].header_bytes
        return sent.packets[lane] * each


def _later(message: Message, packets: Train, pace: Pace, cap_bps: float) -> Later:
    return Later(pace.round_s, capped_s(1.0, cap_bps, message), packets.stored_s)


def _consumption(packets: Train, sent: Given) -> tuple[tuple[float, ...], int]:
    """Return what the lane and each hop carry of what the first of them does, and these bytes."""
    carried = _bytes_by_place(packets, sent)
    first = carried[0] or carried[1]
    return (1.0, *(nbytes / first for nbytes in carried[1:])), first


def _bytes_by_place(packets: Train, sent: Given) -> list[int]:
    """Return the bytes that the lane (0 where there is none) and each hop are given."""
    carried = [0] * (1 + max(crossing.place for crossing in packets.crossings))
    for crossing, count, payload in zip(packets.crossings, sent.packets, sent.payload_bytes, strict=True):
        carried[crossing.place] = payload + count * crossing.header_bytes
    return carried


def _lost_by_place(packets: Train, sent: Given) -> tuple[float, ...]:
    """Return which part of what the lane and each hop are given is lost there."""
    parts = [0.0] * (1 + max(crossing.place for crossing in packets.crossings))
    after = [*sent.payload_bytes[1:], sent.arrived_bytes]
    for i, crossing in enumerate(packets.crossings):
        lost = sent.payload_bytes[i] - after[i] + sent.lost[i] * crossing.header_bytes
        parts[crossing.place] = lost / (sent.payload_bytes[i] + sent.packets[i] * crossing.header_bytes)
    return tuple(parts)
