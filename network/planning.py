"""How a message is sent over a path: the plan of its transport, with delays, and the flow of its bits."""

import simpy

from slfac_sim.network.air import Air
from slfac_sim.network.delays import Delays
from slfac_sim.network.engine import Flow, Routed
from slfac_sim.network.on_air import OnAir, Rate
from slfac_sim.network.transfers import Path, Plan
from slfac_sim.network.transport import Message, Sender
from slfac_sim.network.varying.changing import EffectsOf

Ends = tuple[str, str, int]
"""Sender, receiver, and the number of the transfer between them."""


class Planning:
    """Plans and flows of what `sender` sends over `air`, at the rates that are `on_air`."""

    def __init__(
        self,
        env: simpy.Environment,
        air: Air,
        on_air: OnAir,
        sender: Sender,
        delays: Delays,
        effects: EffectsOf,
    ) -> None:
        self._env, self._air, self._on_air = env, air, on_air
        self._sender, self._delays, self._effects = sender, delays, effects

    def begun(self, ends: Ends, path: Path, nbytes: int) -> tuple[Plan, Flow]:
        """Return how `nbytes` are sent that begin now."""
        rate = self._on_air.rate(path)
        plan = self._sender.plan(self._message(ends, path, nbytes, rate[0]))
        plan = self._delays.added(plan, path, *ends)
        return plan, self._flow(ends, path, plan, plan.bits, rate)

    def continued(
        self, ends: Ends, path: Path, nbytes: int, plan: Plan, left_bits: float
    ) -> tuple[Plan, Flow]:
        """Return how what is left of `nbytes`, begun by `plan` over another path, goes on by `path`."""
        rate = self._on_air.rate(path)
        plan = self._sender.rerouted(plan, self._message(ends, path, nbytes, rate[0]), left_bits)
        if plan.missed and ends[1] == "*":
            plan = received_by(plan, path.devices)
        return plan, self._flow(ends, path, plan, left_bits, rate)

    def _message(self, ends: Ends, path: Path, nbytes: int, rate_bps: float) -> Message:
        now_s, effects = self._env.now, self._effects(path)
        src, dst, number = ends
        return Message(
            src=src,
            dst=dst,
            number=number,
            payload_bytes=nbytes,
            path=effects.seen(now_s, path),
            framing=self._air.framing(path.lane),
            alone_bps=self._air.alone_bps(path, rate_bps) if rate_bps > 0.0 else 0.0,
            rtt_s=self._delays.rtt_s(path, effects.latency_s(now_s, path)),
            now_s=float(now_s),
            takes_caps=self._air.takes_caps(path.lane),
            changing=effects.wires if self._on_air.is_steady(path) else (path.lane, *effects.wires),
            losses=effects.losses(now_s) if effects.all else None,
        )

    def _flow(self, ends: Ends, path: Path, plan: Plan, bits: float, rate: Rate) -> Flow:
        """Return the flow; it has those wires of its path that may be full, and what they carry for a bit."""
        rate_bps, among = rate
        src, dst, _ = ends
        own = (bits, rate_bps, 1.0, plan.cap_bps, among, src, dst, path.power_among)
        full = self._air.may_fill(path.lane)
        if not full:
            return Flow(*own)
        wires = [
            (hop.link, consumption * hop.part)
            for hop, consumption in zip(path.hops, plan.consumption[1:], strict=True)
            if hop.link in full
        ]
        links, consumption = (path.lane, *(link for link, _ in wires)), (1.0, *(use for _, use in wires))
        return Routed(*own, path=links, consumption=consumption)


def received_by(plan: Plan, receivers: tuple[str, ...]) -> Plan:
    """Return `plan` for some of the receivers of a multicast."""
    missed = tuple(device for device in plan.missed if device in receivers)
    return plan._replace(missed=missed, is_lost=bool(missed) and len(missed) == len(receivers))
