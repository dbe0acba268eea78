"""Transfers under way over fluid shares: what they keep, and the delivery made of it. They decide nothing."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple, Protocol

import simpy

from slfac_sim.network.contract import Delivery, Lost, Transfer
from slfac_sim.network.engine import Flow

GIVEN_UP = "a packet was lost too often"


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
    `most_bps` of what the medium is told, if they ever have all that they ask for.
    """

    name: str
    station: str
    ways: tuple[bool, ...]
    part: float
    most_bps: float


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


class Plan(NamedTuple):
    """How a message is sent over its path.

    `bits` are those that its lane is told of, `consumption` what each link of the path (the lane, then
    `Path.hops`) carries per bit of them. `wire_bytes` are the bytes on the lane, or on the first wire where
    there is none. `wait_s` passes before the first bit, `latency_s` after the last one, beside the path's.
    `rounds_bits` says how many of the bits have been sent when the first, second, ... round of packets is
    over; there are as many rounds as the most times that a packet is sent. Of what each link is given,
    `lost_parts` are lost on it. `missed` are the receivers that do not get the message, and `is_lost` says
    that they are all.
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

    def tries(self, sent_bits: float) -> int:
        """Return the most times that a packet was sent by the time that `sent_bits` were."""
        return bisect_left(self.rounds_bits, sent_bits, hi=max(len(self.rounds_bits) - 1, 0)) + 1


class OnLane(Protocol):
    """What is on the lane of a path: a transfer, or somebody else's flow."""

    path: Path
    flow: Flow


class FluidTransfer(Transfer):
    """A transfer whose bits are a `Flow`. `give_up` frees its air; it raises after the end."""

    def __init__(
        self,
        env: simpy.Environment,
        src: str,
        dst: str,
        path: Path,
        payload_bytes: int,
        plan: Plan,
        flow: Flow,
        give_up: Callable[["FluidTransfer"], None],
    ) -> None:
        self.env, self.callbacks = env, []
        self.src, self.dst, self.path = src, dst, path
        self.payload_bytes, self.plan = payload_bytes, plan
        self.asked_s = float(env.now)
        self.last_bit_s: float | None = None
        self.flow = flow
        self.joint: JointTransfer | None = None
        self._give_up = give_up

    @property
    def receivers(self) -> tuple[str, ...]:
        """Whom it is sent to, on its path."""
        return self.path.devices if self.dst == "*" else (self.dst,)

    def cancel(self) -> Delivery:
        """Give the transfer up now, free its air and return how far it came (`delivered=False`).

        `airtime_s` x `rate_bps` are the bits that were sent. Raises `RuntimeError` after the end.
        """
        self._give_up(self)
        return self.delivery(delivered=False)

    def arrive(self) -> None:
        """Happen: the receivers hold the bytes, or fail with `Lost` if none of them does.

        A transfer that this was the last part of happens too.
        """
        if self.joint is not None:
            self.succeed(self.delivery(delivered=not self.plan.is_lost))
            self.joint.arrive_with_the_last_part()
        elif self.plan.is_lost:
            self.fail(Lost(self.delivery(delivered=False), GIVEN_UP))
        elif self.env.peek() > self.env.now:  # nothing can come between: it need not wait for its turn
            self._ok, self._value = True, self.delivery(delivered=True)
            callbacks, self.callbacks = self.callbacks, None  # type: ignore[assignment]
            for callback in callbacks:
                callback(self)
        else:
            self.succeed(self.delivery(delivered=True))

    def limited_s(self) -> Mapping[str, float]:
        """Return for how long each link bound the rate, where there are wires."""
        flow = self.flow
        if flow.limited_s or not self.path.hops or flow.start_s is None:
            return flow.limited_s
        link = self.path.lane or min(self.path.hops, key=lambda hop: hop.capacity_bps).link
        return {link: (self.env.now if self.last_bit_s is None else self.last_bit_s) - flow.start_s}

    def delivery(self, delivered: bool) -> Delivery:
        """Return what can be said now, at the end or when it is given up."""
        flow, now_s = self.flow, float(self.env.now)
        airtime_s = flow.airtime_s if self.path.lane else 0.0  # wires alone take none
        radiated_s = flow.radiated_s
        last_bit_s = now_s if self.last_bit_s is None else float(self.last_bit_s)
        return Delivery(
            src=self.src,
            dst=self.dst,
            receivers=1 if self.path.uplink else len(self.path.devices),
            payload_bytes=self.payload_bytes,
            wire_bytes=self.plan.wire_bytes,
            asked_s=self.asked_s,
            start_s=last_bit_s if flow.start_s is None else float(flow.start_s),
            last_bit_s=last_bit_s,
            end_s=now_s,
            airtime_s=airtime_s,
            rate_bps=(flow.bits - flow.left_bits) / airtime_s if airtime_s > 0.0 else flow.rate_bps,
            snr_db=self.path.snr_db,
            energy_j=self.path.power_w * (airtime_s if radiated_s is None else radiated_s),
            tries=self.plan.tries(flow.bits - flow.left_bits),
            delivered=delivered,
            limited_s=dict(self.limited_s()),
            missed=self.plan.missed,
            set_up_s=min(self.plan.wait_s, last_bit_s - self.asked_s),
        )


class JointTransfer(Transfer):
    """One multicast that several stations send, each to its own devices; it ends with the last of them.

    Its airtime, energy and wire bytes are the sums over the stations, its payload counts once.
    """

    def __init__(self, env: simpy.Environment, parts: Sequence[FluidTransfer]) -> None:
        super().__init__(env)
        self.src, self.dst = parts[0].src, parts[0].dst
        self.payload_bytes, self.asked_s = parts[0].payload_bytes, parts[0].asked_s
        self._parts = parts
        for part in parts:
            part.joint = self

    def cancel(self) -> Delivery:
        """Give up what the stations have not delivered yet; see `FluidTransfer.cancel`."""
        if self.triggered:
            raise RuntimeError(f"{self.src} -> {self.dst}: this transfer has ended")
        return _joined([_arrived(part) or part.cancel() for part in self._parts])._replace(delivered=False)

    def arrive_with_the_last_part(self) -> None:
        """Happen, at the very instant at which no station has anything left to deliver."""
        arrived = [delivery for part in self._parts if (delivery := _arrived(part)) is not None]
        if len(arrived) == len(self._parts):
            joined = _joined(arrived)
            if joined.delivered:
                self.succeed(joined)
            else:
                self.fail(Lost(joined, GIVEN_UP))


def _arrived(part: FluidTransfer) -> Delivery | None:
    return part.value if part.triggered else None


def _joined(parts: Sequence[Delivery]) -> Delivery:
    airtime_s = sum(part.airtime_s for part in parts)
    sent_bits = sum(part.airtime_s * part.rate_bps for part in parts)
    return Delivery(
        src=parts[0].src,
        dst=parts[0].dst,
        receivers=sum(part.receivers for part in parts),
        payload_bytes=parts[0].payload_bytes,
        wire_bytes=sum(part.wire_bytes for part in parts),
        asked_s=parts[0].asked_s,
        start_s=min(part.start_s for part in parts),
        last_bit_s=max(part.last_bit_s for part in parts),
        end_s=max(part.end_s for part in parts),
        airtime_s=airtime_s,
        rate_bps=sent_bits / airtime_s if airtime_s > 0.0 else min(part.rate_bps for part in parts),
        snr_db=min(part.snr_db for part in parts),
        energy_j=sum(part.energy_j for part in parts),
        tries=max(part.tries for part in parts),
        delivered=any(part.delivered for part in parts),
        limited_s=_summed([part.limited_s for part in parts]),
        missed=tuple(device for part in parts for device in part.missed),
        set_up_s=min(part.set_up_s for part in parts),
    )


def _summed(parts: Sequence[Mapping[str, float]]) -> Mapping[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    for part in parts:
        for link, seconds in part.items():
            total[link] += seconds
    return dict(total)
