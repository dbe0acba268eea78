"""Messages in packets over one link after the other, and how long they take alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from slfac_sim.network.transfers import Bursts
from slfac_sim.network.transport import UDP_HEADER_BYTES, Message


@dataclass(frozen=True)
class Crossing:
    """A link as packets cross it: of each it carries `header_bytes` beside the payload, `loss` get lost.

    These may come in `bursts`. `place` is where it stands among the lane and the hops of the path. Where it
    is `changing`, the capacity is that of the moment.
    """

    place: int
    capacity_bps: float
    header_bytes: int
    loss: float
    bursts: Bursts | None = None
    changing: bool = False

    def packet_s(self, payload_bytes: float) -> float:
        """Return how long a packet takes; none where the capacity is not known for now."""
        return (
            8.0 * (payload_bytes + self.header_bytes) / self.capacity_bps if self.capacity_bps > 0.0 else 0.0
        )


@dataclass(frozen=True)
class Train:
    """The packets of a message, all of `payload_bytes` but the last one, and what they cross, in order."""

    count: int
    payload_bytes: int
    last_bytes: int
    crossings: Sequence[Crossing]

    @cached_property
    def packet_s(self) -> float:
        """How long a full packet takes on the slowest link."""
        return max(crossing.packet_s(self.payload_bytes) for crossing in self.crossings)

    def there_and_back_s(self, payload_bytes: int) -> float:
        """Return how long a packet, and then one without payload, takes to be sent on all links.

        Links that change are left out: a round trip that is begun at a low rate may end at a high one.
        """
        steady = [link for link in self.crossings if not link.changing]
        return sum(link.packet_s(payload_bytes) + link.packet_s(0) for link in steady)

    @cached_property
    def stored_s(self) -> float:
        """How much later the last packet is through than a fluid of as many bits over the slowest link.

        Each link forwards a packet when it has all of it and is through with those before: with n equal
        packets sum(L / C_l) + (n - 1) L / C_min, of which a fluid takes n L / C_min.
        """
        full_s = [link.packet_s(self.payload_bytes) for link in self.crossings]
        last_s = [link.packet_s(self.last_bytes) for link in self.crossings]
        fluid_s = max((self.count - 1) * full + last for full, last in zip(full_s, last_s, strict=True))
        through_s = sum(last_s)
        for i in range(len(full_s) if self.count > 1 else 0):
            others_s = sum(full_s[: i + 1]) + (self.count - 2) * max(full_s[: i + 1])
            through_s = max(through_s, others_s + sum(last_s[i:]))
        return through_s - fluid_s


def train(message: Message, packet_bytes: int, header_bytes: int, loss: float) -> Train:
    """Return the packets of `message`: `packet_bytes` of payload in each, `header_bytes` from IP up.

    Access links lose them with probability `loss`, unless the message says otherwise. Up, and where there
    are wires alone, the order of the path is that in which they are crossed; down, the air comes last.
    """
    path, framing = message.path, message.framing
    of_lane = -UDP_HEADER_BYTES if framing.holds_headers else framing.layer2_bytes
    losses = message.losses or (loss, None)
    changing = message.changing
    on_lane = (message.alone_bps, header_bytes + of_lane, *losses, path.lane in changing)
    lane = [Crossing(0, *on_lane)] if path.lane else []
    wires = [
        Crossing(
            place,
            hop.capacity_bps,
            header_bytes + hop.header_bytes,
            hop.loss,
            hop.bursts,
            hop.link in changing,
        )
        for place, hop in enumerate(path.hops, start=1)
    ]
    count = -(-message.payload_bytes // packet_bytes)
    last_bytes = message.payload_bytes - (count - 1) * packet_bytes
    return Train(count, packet_bytes, last_bytes, [*lane, *wires] if path.uplink else [*wires, *lane])


def capped_s(bits: float, cap_bps: float, message: Message) -> float:
    """Return how much later a lane that knows no caps would send the last of `bits` if it kept to one."""
    if message.takes_caps or cap_bps == inf or message.alone_bps <= 0.0:
        return 0.0
    return max(0.0, bits / cap_bps - bits / message.alone_bps)
