"""What transfers are made of: lanes and wires, the path over them, and the plan of what is sent."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import NamedTuple, Protocol, Self

from slfac_sim.network.engine import Flow


class Bursts(NamedTuple):
    """Losses in bursts: a packet is lost with `loss_good` or `loss_bad`, by the state that it meets.

    From packet to packet a good state turns bad with `to_bad`, a bad one good with `to_good` (Gilbert 1960,
    Elliott 1963).
    """

    to_bad: float
    to_good: float
    loss_good: float = 0.0
    loss_bad: float = 1.0

    @property
    def bad(self) -> float:
        """The part of the packets that meet the bad state."""
        return self.to_bad / (self.to_bad + self.to_good)

    @property
    def mean(self) -> float:
        """The part of the packets that are lost."""
        return (1.0 - self.bad) * self.loss_good + self.bad * self.loss_bad


@dataclass(frozen=True)
class Hop:
    """A wire on a path, in the direction of the path: `link` as in `LinkUse`; `latency_s` is one way.

    Each packet costs `header_bytes` of its layer 2, and is lost with probability `loss`, perhaps in `bursts`
    of that mean. Of a multicast whose branches part behind it, it carries one copy: `part` of one for each
    branch.
    """

    link: str
    capacity_bps: float
    latency_s: float
    header_bytes: int = 38
    loss: float = 0.0
    part: float = 1.0
    bursts: Bursts | None = None


@dataclass(frozen=True)
class Lane:
    """A medium of an air: its `name`, and the `station` at its wired end (empty where all end at one node).

    `ways` are the directions on it, True for uplinks. `part` of the time is theirs, in which they carry
    `most_bps` of what the medium is told, if they ever have all that they ask for. With `places` the medium
    is divided into so many equal parts, and each pair of sender and receiver has one to itself.
    """

    name: str
    station: str
    ways: tuple[bool, ...]
    part: float
    most_bps: float
    places: int = 0


@dataclass(frozen=True, eq=False)
class Path:
    """What one transmission meets: the lane that it shares, its link's mean SNR and its sender's power.

    `devices` are those at the far end of the radio link; `latency_s` passes from the last bit on the air to
    the bytes in the receiver's hands, and the way back takes `back_longer_s` more than that. Uplinks of its
    lane wait `grant_s` for their first bit. No bit ever gets through where it is `unreachable`. `power_among`
    is for `Flow.power_among`. `station` is that of its lane. `hops` are the wires that it crosses besides, in
    order; `lane` is empty where it crosses wires alone.
    """

    lane: str
    uplink: bool
    devices: tuple[str, ...]
    snr_db: float
    power_w: float
    latency_s: float
    unreachable: bool = False
    power_among: Callable[[int], float] | None = None
    station: str = ""
    hops: tuple[Hop, ...] = ()
    back_longer_s: float = 0.0
    grant_s: float = 0.0

    @property
    def narrowest_bps(self) -> float:
        """The capacity of the narrowest of its wires; infinite without any."""
        return min((hop.capacity_bps for hop in self.hops), default=inf)


class Later(NamedTuple):
    """What the way of a message adds to its latency while bits are sent, from the first `since_bits` on.

    Each round of packets after the first comes `round_s` later. A lane that knows no caps sends each bit
    `bit_s` sooner than the cap has it. Packets are stored for `stored_s` on their way; `kept_s` is from
    elsewhere, or from ways before this one.
    """

    round_s: float = 0.0
    bit_s: float = 0.0
    stored_s: float = 0.0
    kept_s: float = 0.0
    since_bits: float = 0.0


class Plan(NamedTuple):
    """How a message is sent over its path.

    `bits` are those that its lane is told of, `consumption` what each link of the path (the lane, then
    `Path.hops`) carries per bit of them. `wire_bytes` are the bytes on the lane, or on the first wire where
    there is none. `wait_s` passes before the first bit, `latency_s` after the last one, beside the path's.
    `rounds_bits` says how many of the bits have been sent when the first, second, ... round of packets is
    over; there are as many rounds as the most times that a packet is sent. `later` says what of `latency_s`
    is of this path. Of what each link is given, `lost_parts` are lost on it. `missed` are the receivers that
    do not get the message, and `is_lost` says that they are all.
    """

    bits: float
    wire_bytes: int
    consumption: tuple[float, ...] = (1.0,)
    cap_bps: float = inf
    wait_s: float = 0.0
    latency_s: float = 0.0
    rounds_bits: tuple[float, ...] = ()
    lost_parts: tuple[float, ...] = ()
    missed: tuple[str, ...] = ()
    is_lost: bool = False
    later: Later = Later()

    def tries(self, sent_bits: float) -> int:
        """Return the most times that a packet was sent by the time that `sent_bits` were."""
        return bisect_left(self.rounds_bits, sent_bits, hi=max(len(self.rounds_bits) - 1, 0)) + 1

    def on_another_way(self, left_bits: float, later: Later) -> Self:
        """Return the plan with the latency of `later` for the last `left_bits`, the others keep theirs."""
        sent_bits, before = self.bits - left_bits, self.later
        turns = self.tries(sent_bits) - self.tries(before.since_bits)
        kept_s = before.kept_s + turns * before.round_s + (sent_bits - before.since_bits) * before.bit_s
        turns_left = len(self.rounds_bits) - self.tries(sent_bits)
        latency_s = kept_s + later.stored_s + turns_left * later.round_s + left_bits * later.bit_s
        return self._replace(latency_s=latency_s, later=later._replace(kept_s=kept_s, since_bits=sent_bits))


class OnLane(Protocol):
    """What is on the lane of a path: a transfer, or somebody else's flow, whose user `stands` still."""

    path: Path
    flow: Flow
    stands: bool
