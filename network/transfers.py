"""A transfer under way over a fluid share: what it keeps, and the delivery made of it. It decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass

import simpy

from slfac_sim.network.contract import Delivery, Transfer
from slfac_sim.network.engine import Flow


@dataclass(frozen=True)
class Path:
    """What one transmission meets: the lane it shares, its link's mean SNR and its sender's power.

    A lane is a medium of its own; `devices` are the ones at the far end of the radio link. `hopeless`
    says that no bit will ever get through.
    """

    lane: str
    uplink: bool
    devices: tuple[str, ...]
    snr_db: float
    power_w: float
    hopeless: bool = False


class FluidTransfer(Transfer):
    """A transfer whose bits are a `Flow`. `give_up` frees its air; it raises after the end."""

    def __init__(
        self,
        env: simpy.Environment,
        src: str,
        dst: str,
        path: Path,
        payload_bytes: int,
        wire_bytes: int,
        rate_bps: float,
        give_up: Callable[["FluidTransfer"], None],
    ) -> None:
        super().__init__(env)
        self.src, self.dst, self.path = src, dst, path
        self.payload_bytes, self.wire_bytes = payload_bytes, wire_bytes
        self.asked_s = float(env.now)
        self.last_bit_s: float | None = None
        self.flow = Flow(8.0 * wire_bytes, rate_bps)
        self._give_up = give_up

    def cancel(self) -> Delivery:
        """Give the transfer up now, free its air and return how far it came (`delivered=False`).

        `airtime_s` x `rate_bps` are the bits that were sent. Raises `RuntimeError` after the end.
        """
        self._give_up(self)
        return self.delivery(delivered=False)

    def delivery(self, delivered: bool) -> Delivery:
        """Return what can be said now, at the end or when it is given up."""
        flow, now_s = self.flow, float(self.env.now)
        last_bit_s = now_s if self.last_bit_s is None else float(self.last_bit_s)
        sent_bits = flow.bits - flow.left_bits
        return Delivery(
            src=self.src,
            dst=self.dst,
            receivers=1 if self.path.uplink else len(self.path.devices),
            payload_bytes=self.payload_bytes,
            wire_bytes=self.wire_bytes,
            asked_s=self.asked_s,
            start_s=last_bit_s if flow.start_s is None else float(flow.start_s),
            last_bit_s=last_bit_s,
            end_s=now_s,
            airtime_s=flow.airtime_s,
            rate_bps=sent_bits / flow.airtime_s if flow.airtime_s > 0.0 else flow.rate_bps,
            snr_db=self.path.snr_db,
            energy_j=self.path.power_w * flow.airtime_s,
            tries=1,
            delivered=delivered,
        )
