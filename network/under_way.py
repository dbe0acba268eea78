"""Transfers under way over fluid shares: what they keep, and the delivery made of it. They decide nothing."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

import simpy

from slfac_sim.network.contract import Delivery, Lost, Transfer
from slfac_sim.network.engine import Flow
from slfac_sim.network.transfers import Path, Plan

GIVEN_UP = "a packet was lost too often"


class FluidTransfer(Transfer):
    """The `number`-th transfer of its pair, whose bits are a `Flow`.

    `give_up` frees its air; it raises after the end. It is on the way by `path` since `since_s`, and goes on
    by another one after a handover. Of a part of a multicast, `had_bits` were sent to its receivers
    before, by the part that they belonged to.
    """

    stands = False

    def __init__(
        self,
        env: simpy.Environment,
        ends: tuple[str, str, int],
        path: Path,
        payload_bytes: int,
        plan: Plan,
        flow: Flow,
        give_up: Callable[["FluidTransfer"], None],
        had_bits: float = 0.0,
    ) -> None:
        self.env, self.callbacks = env, []
        self.src, self.dst, self.number = ends
        self.path, self.payload_bytes, self.plan, self.flow = path, payload_bytes, plan, flow
        self.asked_s = self.since_s = float(env.now)
        self.last_bit_s: float | None = None
        self.joint: JointTransfer | None = None
        self.had_bits = had_bits
        self._before: Delivery | None = None
        self._give_up = give_up

    @property
    def receivers(self) -> tuple[str, ...]:
        """Whom it is sent to, on its path."""
        return self.path.devices if self.dst == "*" else (self.dst,)

    @property
    def wire_bytes(self) -> float:
        """The bytes on the lane: of a part that began later those that were left, the last one not whole."""
        part = 1.0 - self.had_bits / self.plan.bits if self.had_bits else 1.0
        return part * self.plan.wire_bytes

    def cancel(self) -> Delivery:
        """Give the transfer up now, free its air and return how far it came (`delivered=False`).

        `airtime_s` x `rate_bps` are the bits that were sent. Raises `RuntimeError` after the end.
        """
        self._give_up(self)
        return self.delivery(delivered=False)

    def go_on(self, now_s: float, path: Path, plan: Plan, flow: Flow) -> None:
        """Send what is left from now on by another path, as `flow`."""
        self._before = self._delivery(now_s, now_s, delivered=False)
        self.path, self.plan, self.flow = path, plan, flow

    def parted(self, now_s: float, path: Path, plan: Plan, flow: Flow) -> "FluidTransfer":
        """Return a part of this multicast for receivers that go on by another path, as `flow`."""
        ends = (self.src, self.dst, self.number)
        had_bits = plan.bits - flow.bits
        part = FluidTransfer(self.env, ends, path, self.payload_bytes, plan, flow, self._give_up, had_bits)
        part.asked_s, part.since_s = self.asked_s, now_s
        assert self.joint is not None
        self.joint.take_in(part)
        return part

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

    def limited_s(self, until_s: float) -> Mapping[str, float]:
        """Return for how long each link of its path bound the rate, where there are wires."""
        flow = self.flow
        if flow.limited_s or not self.path.hops or flow.start_s is None:
            return flow.limited_s
        link = self.path.lane or min(self.path.hops, key=lambda hop: hop.capacity_bps).link
        return {link: until_s - flow.start_s}

    def delivery(self, delivered: bool) -> Delivery:
        """Return what can be said now, at the end or when it is given up."""
        now_s = float(self.env.now)
        last_bit_s = now_s if self.last_bit_s is None else float(self.last_bit_s)
        return self._delivery(last_bit_s, now_s, delivered)

    def _delivery(self, last_bit_s: float, end_s: float, delivered: bool) -> Delivery:
        flow, before = self.flow, self._before
        airtime_s = flow.airtime_s if self.path.lane else 0.0  # wires alone take none
        radiated_s, bits = flow.radiated_s, flow.bits - flow.left_bits
        own = Delivery(
            src=self.src,
            dst=self.dst,
            receivers=1 if self.path.uplink else len(self.path.devices),
            payload_bytes=self.payload_bytes,
            wire_bytes=self.plan.wire_bytes,
            asked_s=self.asked_s,
            start_s=last_bit_s if flow.start_s is None else float(flow.start_s),
            last_bit_s=last_bit_s,
            end_s=end_s,
            airtime_s=airtime_s,
            rate_bps=bits / airtime_s if airtime_s > 0.0 else flow.rate_bps,
            snr_db=self.path.snr_db,
            energy_j=self.path.power_w * (airtime_s if radiated_s is None else radiated_s),
            tries=self.plan.tries(self.plan.bits - flow.left_bits),
            delivered=delivered,
            limited_s=dict(self.limited_s(last_bit_s)),
            missed=self.plan.missed,
            set_up_s=min(self.plan.wait_s, last_bit_s - self.asked_s),
        )
        return (
            own
            if before is None
            else own._replace(
                start_s=before.start_s if before.airtime_s > 0.0 else own.start_s,
                snr_db=before.snr_db,
                **_added([before, own]),
            )
        )


class JointTransfer(Transfer):
    """One multicast that several stations send, each to its own devices; it ends with the last of them.

    Its airtime, energy and wire bytes are the sums over the stations, its payload counts once.
    """

    def __init__(self, env: simpy.Environment, parts: Sequence[FluidTransfer]) -> None:
        super().__init__(env)
        self.src, self.dst = parts[0].src, parts[0].dst
        self.payload_bytes, self.asked_s = parts[0].payload_bytes, parts[0].asked_s
        self._parts: list[FluidTransfer] = []
        for part in parts:
            self.take_in(part)

    def take_in(self, part: FluidTransfer) -> None:
        """End with `part` too."""
        part.joint = self
        self._parts.append(part)

    def cancel(self) -> Delivery:
        """Give up what the stations have not delivered yet; see `FluidTransfer.cancel`."""
        if self.triggered:
            raise RuntimeError(f"{self.src} -> {self.dst}: this transfer has ended")
        parts = [_arrived(part) or part.cancel() for part in self._parts]
        return self._joined(parts)._replace(delivered=False)

    def arrive_with_the_last_part(self) -> None:
        """Happen, at the very instant at which no station has anything left to deliver."""
        arrived = [delivery for part in self._parts if (delivery := _arrived(part)) is not None]
        if len(arrived) == len(self._parts):
            joined = self._joined(arrived)
            if joined.delivered:
                self.succeed(joined)
            else:
                self.fail(Lost(joined, GIVEN_UP))

    def _joined(self, parts: Sequence[Delivery]) -> Delivery:
        return parts[0]._replace(
            receivers=sum(part.receivers for part in parts),
            wire_bytes=ceil(sum(part.wire_bytes for part in self._parts)),
            start_s=min(part.start_s for part in parts),
            last_bit_s=max(part.last_bit_s for part in parts),
            end_s=max(part.end_s for part in parts),
            snr_db=min(part.snr_db for part in parts),
            tries=max(part.tries for part in parts),
            delivered=any(part.delivered for part in parts),
            missed=tuple(device for part in parts for device in part.missed),
            set_up_s=min(part.set_up_s for part in parts),
            **_added(parts),
        )


def _arrived(part: FluidTransfer) -> Delivery | None:
    return part.value if part.triggered else None


def _added(parts: Sequence[Delivery]) -> dict[str, Any]:
    """Return what adds up over parts of a transfer, and its rate."""
    airtime_s = sum(part.airtime_s for part in parts)
    sent_bits = sum(part.airtime_s * part.rate_bps for part in parts)
    limited_s: Counter[str] = Counter()
    for part in parts:
        limited_s.update(part.limited_s)
    return {
        "airtime_s": airtime_s,
        "rate_bps": sent_bits / airtime_s if airtime_s > 0.0 else min(part.rate_bps for part in parts),
        "energy_j": sum(part.energy_j for part in parts),
        "limited_s": dict(limited_s),
    }
