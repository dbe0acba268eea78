"""Background traffic under way: bursts begin at their times, each a flow that is told to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, inf

import simpy

from slfac_sim.network.air import Air
from slfac_sim.network.change import Burst
from slfac_sim.network.engine import Call, Engine, Flow, Routed, Share
from slfac_sim.network.link_accounts import LinkAccounts
from slfac_sim.network.on_air import OnAir
from slfac_sim.network.transfers import Path
from slfac_sim.network.varying.background import Source


@dataclass(eq=False)
class BackgroundFlow:
    """A flow on the lane of a `path` alone, whose user stands where it began; it has no delivery."""

    path: Path
    flow: Flow
    stands = True


class Crowd:
    """Has `sources` send over the lanes of `air` and over its wires, which `joined` is the share of."""

    def __init__(
        self,
        env: simpy.Environment,
        air: Air,
        engine: Engine,
        joined: Share,
        on_air: OnAir,
        accounts: LinkAccounts,
        sources: Sequence[Source],
    ) -> None:
        self._env, self._air, self._engine, self._joined = env, air, engine, joined
        self._on_air, self._accounts = on_air, accounts
        for source in sources:
            self._await_burst(source)

    def _await_burst(self, source: Source) -> None:
        burst = next(source.bursts, None)
        if burst is not None:
            begin = self._send_on_lane if source.ways else self._send_on_wire
            Call(self._env, burst.at_s, lambda _: begin(source, burst))

    def _send_on_wire(self, source: Source, burst: Burst) -> None:
        """Begin a burst and wait for the next one."""
        link = source.link
        own = (burst.bits, self._air.wires[link], 1.0, burst.cap_bps)
        flow = Routed(*own, path=("", link), consumption=(1.0, 1.0))
        self._accounts.offer(link, flow)
        self._engine.start(self._joined, flow, lambda _: self._accounts.carry(link, flow))
        self._await_burst(source)

    def _send_on_lane(self, source: Source, burst: Burst) -> None:
        """Begin a burst at the rate of a device on the lane."""
        path, src, dst, _ = source.ways[floor(burst.draw * len(source.ways))]
        lane = path.lane
        cap_bps = burst.cap_bps if self._air.takes_caps(lane) else inf
        rate_bps, among = self._on_air.rate(path)
        own = (burst.bits, rate_bps, 1.0, cap_bps, among, src, dst, path.power_among)
        flow = Routed(*own, path=(lane,), consumption=(1.0,))
        other = BackgroundFlow(path, flow)
        if self._air.wires:
            self._accounts.offer(lane, flow)
        self._on_air.send(other, lambda _: self._carried(other))
        self._await_burst(source)

    def _carried(self, other: BackgroundFlow) -> None:
        self._on_air.leave(other)
        if self._air.wires:
            self._accounts.carry(other.path.lane, other.flow)
