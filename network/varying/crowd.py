"""Background traffic under way: bursts begin at their times, each a flow that is told to nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

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
        paths = dict.fromkeys(way.path for source in sources for way in source.ways)
        self._steady = {path: on_air.rate(path) for path in paths if on_air.is_steady(path)}
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
        self._offer(link, self._joined, Routed(*own, path=("", link), consumption=(1.0, 1.0)))
        self._await_burst(source)

    def _send_on_lane(self, source: Source, burst: Burst) -> None:
        """Begin a burst at the rate of a device on the lane; it is followed only where that may change."""
        path, src, dst, _ = source.ways[int(burst.draw * len(source.ways))]
        lane, steady = path.lane, self._steady.get(path)
        cap_bps = burst.cap_bps if burst.cap_bps == inf or self._air.takes_caps(lane) else inf
        rate_bps, among = steady or self._on_air.rate(path)
        own = (burst.bits, rate_bps, 1.0, cap_bps, among, src, dst, path.power_among)
        flow = Routed(*own, path=(lane,), consumption=(1.0,))
        if steady:
            self._offer(lane, self._on_air.share(lane), flow)
        else:
            self._offer_changing(BackgroundFlow(path, flow))
        self._await_burst(source)

    def _offer(self, link: str, share: Share, flow: Flow) -> None:
        if not self._air.wires:
            self._engine.start(share, flow, _through)
        else:
            self._accounts.offer(link, flow)
            self._engine.start(share, flow, lambda _: self._accounts.carry(link, flow))

    def _offer_changing(self, other: BackgroundFlow) -> None:
        if self._air.wires:
            self._accounts.offer(other.path.lane, other.flow)
        self._on_air.send(other, lambda _: self._carried(other))

    def _carried(self, other: BackgroundFlow) -> None:
        self._on_air.leave(other)
        if self._air.wires:
            self._accounts.carry(other.path.lane, other.flow)


def _through(flow: Flow) -> None:
    """Hear of a flow of which no account is kept."""
