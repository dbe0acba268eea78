"""A network over any `Air`: transfers become flows, flows become deliveries. It knows no radio."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import floor, inf, ulp

import simpy

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.air import Air
from slfac_sim.network.change import Burst
from slfac_sim.network.contract import Handover, LinkUse, Network, Sighting, Transfer
from slfac_sim.network.delays import Delays
from slfac_sim.network.engine import Call, Engine, Flow, Routed, Share
from slfac_sim.network.engine.joined import JoinedShare
from slfac_sim.network.link_accounts import LinkAccounts
from slfac_sim.network.transfers import FluidTransfer, JointTransfer, OnLane, Path, Plan
from slfac_sim.network.transport import Message, Sender
from slfac_sim.network.varying.background import BackgroundFlow, Source
from slfac_sim.network.varying.changing import EffectsOf, unchanged
from slfac_sim.network.varying.effects import Capacity, Effects
from slfac_sim.network.varying.own_clock import OwnClock
from slfac_sim.network.varying.timetable import Timetable

Done = Callable[[Flow], None]

_LOOKS = 64  # of so many, one is close
_NO_TIME_S = 1e-12  # whatever takes less is meant to take none: its rate stands for infinity


class FluidNetwork(Network):
    """A `Network` over any `Air`."""

    def __init__(
        self,
        env: simpy.Environment,
        air: Air,
        sender: Sender,
        effects: EffectsOf = unchanged,
        delays: Delays | None = None,
        background: Sequence[Source] = (),
    ) -> None:
        self._outer = env
        self._own = OwnClock(env, self._awaited) if background else None
        self._env = env = env if self._own is None else self._own.env
        self._effects, self._timetable = effects, Timetable(env, self._renew)
        self._air, self._sender, self._delays = air, sender, delays or Delays()
        self._numbers: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._engine = Engine(env)
        self._shares: dict[str, Share] = {}
        self._joined = JoinedShare(air.share, air.wires)
        for link, effects_on in air.wire_effects.items():
            self._engine.follow(self._joined, Capacity(effects_on), link)
        lanes = air.lanes() if air.wires else ()
        self._accounts = LinkAccounts({lane.name: lane.part for lane in lanes}, air.wires)
        self._under_way: dict[FluidTransfer, None] = {}
        self._on_lane: dict[str, dict[OnLane, None]] = {}
        self._heard: dict[str, int] = {}
        self._unsettled: dict[str, None] = {}
        self._grids: set[float] = set()
        self._looks = 0
        for source in background:
            self._await_burst(source)

    def transfer(self, src: str, dst: str | tuple[str, ...], nbytes: int) -> Transfer:
        """Start to send, as every `Network`; one of two ends must be the server.

        Raises `KeyError` for other hosts, `ValueError` for a negative size.
        """
        if nbytes < 0:
            raise ValueError(f"{src} -> {dst}: {nbytes} bytes to send")
        ways = self._air.paths(src, dst if isinstance(dst, tuple) else (dst,))
        self._catch_up()
        paths = [self._air.moved(path, self._env.now) for path in ways]
        name = "*" if isinstance(dst, tuple) else dst
        self._numbers[src, name] += 1
        if len(paths) == 1:
            return self._transfer(src, name, paths[0], nbytes)
        return JointTransfer(self._outer, [self._transfer(src, name, path, nbytes) for path in paths])

    def stalled(self) -> Sequence[Transfer]:
        """Return the transfers that are under way, in the order of their start."""
        return tuple(self._under_way)

    def link_use(self) -> Sequence[LinkUse]:
        """Return what each lane and each wire has carried, if there are wires."""
        self._catch_up()
        under_way = [transfer for transfer in self._under_way if transfer.last_bit_s is None]
        return self._accounts.use(under_way) if self._air.wires else ()

    def handovers(self) -> Sequence[Handover]:
        """Return the handovers until now."""
        return self._air.handovers(float(self._outer.now))

    def sightings(self, times_s: Sequence[float]) -> Sequence[Sighting]:
        """Return where the devices that move are at each of `times_s`."""
        return self._air.sightings(times_s)

    def _transfer(self, src: str, dst: str, path: Path, nbytes: int) -> FluidTransfer:
        rate_bps, among = self._air.rate_bps(path, self._block(path.lane), self._heard)
        effects = self._effects(path)
        rate_bps, among = effects.rate(self._env.now, rate_bps, among)
        plan = self._sender.plan(self._message(src, dst, path, nbytes, rate_bps, effects))
        plan = self._delays.added(plan, path, src, dst, self._numbers[src, dst])
        own = (plan.bits, rate_bps, 1.0, plan.cap_bps, among, src, dst, path.power_among)
        flow = self._routed(Routed(*own), path, plan) if self._air.may_fill(path.lane) else Flow(*own)
        transfer = FluidTransfer(self._outer, src, dst, path, nbytes, plan, flow, self._give_up)
        self._under_way[transfer] = None
        if nbytes == 0:
            self._last_bit_left(transfer)
        elif plan.wait_s > 0.0:
            Call(self._env, self._env.now + plan.wait_s, lambda _: self._begin(transfer))
        else:
            self._begin(transfer)
        self._look_ahead()
        return transfer

    def _message(
        self, src: str, dst: str, path: Path, nbytes: int, rate_bps: float, effects: Effects
    ) -> Message:
        now_s = self._env.now
        return Message(
            src=src,
            dst=dst,
            number=self._numbers[src, dst],
            payload_bytes=nbytes,
            path=effects.seen(now_s, path),
            framing=self._air.framing(path.lane),
            alone_bps=self._air.alone_bps(path, rate_bps) if rate_bps > 0.0 else 0.0,
            rtt_s=self._delays.rtt_s(path, effects.latency_s(now_s, path)),
            now_s=float(now_s),
            takes_caps=self._air.takes_caps(path.lane),
            losses=effects.losses(now_s) if effects.all else None,
        )

    def _routed(self, flow: Routed, path: Path, plan: Plan) -> Routed:
        """Return `flow` with those wires of its path that may be full, and what they carry for a bit."""
        full = self._air.may_fill(path.lane)
        wires = [
            (hop.link, consumption * hop.part)
            for hop, consumption in zip(path.hops, plan.consumption[1:], strict=True)
            if hop.link in full
        ]
        flow.path = (path.lane, *(link for link, _ in wires))
        flow.consumption = (1.0, *(consumption for _, consumption in wires))
        return flow

    def _share(self, lane: str) -> Share:
        if self._air.may_fill(lane):
            return self._joined
        if lane not in self._shares:
            self._shares[lane] = self._air.share(lane)
        return self._shares[lane]

    def _begin(self, transfer: FluidTransfer) -> None:
        """Put the transfer on the air, unless it has been given up while it waited for that.

        One that is unreachable waits for ever, off the air: there it would disturb other cells.
        """
        if transfer in self._under_way and not transfer.path.unreachable:
            self._send(transfer, lambda _: self._last_bit_left(transfer))
            if transfer.plan.wait_s > 0.0:
                self._renew([transfer])

    def _send(self, transfer: OnLane, done: Done) -> None:
        lane = transfer.path.lane
        on_lane = self._on_lane.setdefault(lane, {})
        on_lane[transfer] = None
        self._engine.start(self._share(lane), transfer.flow, done)
        self._disturb(lane)
        self._timetable.join(self._effects(transfer.path), transfer)
        length_s = self._air.coherence_on(lane)
        if length_s is not None and length_s not in self._grids:
            self._arm_grid(length_s)

    def _last_bit_left(self, transfer: FluidTransfer) -> None:
        """Take the transfer off the air, and have the receiver hold the bytes after the latency."""
        now_s = transfer.last_bit_s = self._env.now
        _refuse_coarse_clock(transfer, now_s)
        self._leave(transfer)
        self._settle_account(transfer)
        latency_s = self._latency_s(transfer.path) + transfer.plan.latency_s
        Call(self._env, now_s + latency_s, lambda _: self._arrive(transfer))

    def _leave(self, transfer: OnLane) -> bool:
        """Free the lane of the transfer, if it is on one, and return whether it was."""
        lane = transfer.path.lane
        on_lane = self._on_lane.get(lane, {})
        if transfer not in on_lane:
            return False
        del on_lane[transfer]
        self._disturb(lane)
        self._timetable.leave(self._effects(transfer.path), transfer)
        return True

    def _latency_s(self, path: Path) -> float:
        return self._effects(path).latency_s(self._env.now, path)

    def _arrive(self, transfer: FluidTransfer) -> None:
        if transfer in self._under_way:  # otherwise it was given up after its last bit
            del self._under_way[transfer]
            self._sender.ended(transfer.src, transfer.receivers, float(self._env.now))
            transfer.arrive()

    def _give_up(self, transfer: FluidTransfer) -> None:
        if transfer not in self._under_way:
            raise RuntimeError(f"{transfer.src} -> {transfer.dst}: this transfer has ended")
        self._catch_up()
        del self._under_way[transfer]
        if self._leave(transfer):
            self._engine.cancel(transfer.flow)
        if transfer.last_bit_s is None:
            self._settle_account(transfer)
        self._look_ahead()

    def _settle_account(self, transfer: FluidTransfer) -> None:
        if transfer.path.hops:
            self._accounts.settle(transfer)

    def _await_burst(self, source: Source) -> None:
        burst = next(source.bursts, None)
        if burst is not None:
            begin = self._send_on_lane if source.ways else self._send_on_wire
            Call(self._env, burst.at_s, lambda _: begin(source, burst))

    def _send_on_wire(self, source: Source, burst: Burst) -> None:
        """Begin a burst of background traffic, which is not told to anybody, and wait for the next one."""
        link = source.link
        own = (burst.bits, self._air.wires[link], 1.0, burst.cap_bps)
        flow = Routed(*own, path=("", link), consumption=(1.0, 1.0))
        self._accounts.offer(link, flow)
        self._engine.start(self._joined, flow, lambda _: self._accounts.carry(link, flow))
        self._await_burst(source)

    def _send_on_lane(self, source: Source, burst: Burst) -> None:
        """Begin a burst at the rate of a device on the lane."""
        way, src, dst, _ = source.ways[floor(burst.draw * len(source.ways))]
        path, lane = self._air.moved(way, self._env.now), way.lane
        cap_bps = burst.cap_bps if self._air.takes_caps(lane) else inf
        rate_bps, among = self._air.rate_bps(path, self._block(lane), self._heard)
        rate_bps, among = self._effects(path).rate(self._env.now, rate_bps, among)
        own = (burst.bits, rate_bps, 1.0, cap_bps, among, src, dst, path.power_among)
        flow = Routed(*own, path=(lane,), consumption=(1.0,))
        other = BackgroundFlow(path, flow)
        if self._air.wires:
            self._accounts.offer(lane, flow)
        self._send(other, lambda _: self._carried(other))
        self._await_burst(source)

    def _carried(self, other: BackgroundFlow) -> None:
        self._leave(other)
        if self._air.wires:
            self._accounts.carry(other.path.lane, other.flow)

    def _catch_up(self) -> None:
        if self._own is not None:
            self._own.catch_up()

    def _look_ahead(self) -> None:
        if self._own is not None:
            self._own.look_ahead()

    def _awaited(self) -> bool:
        """Return whether a transfer is under way that may still go on, which is looked at now and then."""
        self._looks += 1
        if not self._under_way or self._looks % _LOOKS:
            return bool(self._under_way)
        return any(self._may_go_on(transfer) for transfer in self._under_way)

    def _may_go_on(self, transfer: FluidTransfer) -> bool:
        path, now_s = transfer.path, self._env.now
        if transfer.last_bit_s is not None or path.unreachable:
            return not path.unreachable
        effects = self._effects(path)
        if effects.rate(now_s, 1.0, None)[0] == 0.0 and effects.next_s(now_s) == inf:
            return False
        on_wires = [Capacity(one, 0.0) for one in effects.wires.values()]
        return all(one.at(now_s) > 0.0 or one.next_s(now_s) < inf for one in on_wires)

    def _disturb(self, lane: str) -> None:
        """Note how many senders a lane has now; the flows that it disturbs get their rates in a moment.

        At this instant more may come and go, and a flow that is just through must be left alone.
        """
        senders = self._air.senders(lane, len(self._on_lane[lane]))
        if senders == self._heard.get(lane, 0):
            return
        self._heard[lane] = senders
        disturbed = self._air.disturbed(lane)
        if disturbed and not self._unsettled:
            Call(self._env, self._env.now, self._settle)
        self._unsettled.update(dict.fromkeys(disturbed))

    def _settle(self, _: simpy.Event) -> None:
        lanes, self._unsettled = self._unsettled, {}
        self._rate(lanes)

    def _rate(self, lanes: Iterable[str]) -> None:
        """Give the flows on `lanes` the rates of the present."""
        self._renew([transfer for lane in lanes for transfer in self._on_lane.get(lane, ())])

    def _renew(self, transfers: Sequence[OnLane]) -> None:
        """Give the flows of `transfers` the rates of the present, all in one reallocation."""
        alike: dict[float | None, list[OnLane]] = {}
        for transfer in transfers:
            alike.setdefault(self._air.coherence_on(transfer.path.lane), []).append(transfer)
        now_s, rates_bps = self._env.now, []
        for length_s, group in alike.items():
            paths = [self._air.moved(transfer.path, now_s) for transfer in group]
            rated = self._air.rates_bps(paths, _block_at(now_s, length_s), self._heard)
            for transfer, rate in zip(group, rated, strict=True):
                rate_bps, transfer.flow.among = self._effects(transfer.path).rate(now_s, *rate)
                rates_bps.append((transfer.flow, rate_bps))
        if rates_bps:
            self._engine.set_rates(rates_bps)

    def _block(self, lane: str) -> int:
        return _block_at(self._env.now, self._air.coherence_on(lane))

    def _arm_grid(self, length_s: float) -> None:
        self._grids.add(length_s)
        at_s = (_block_at(self._env.now, length_s) + 1) * length_s
        Call(self._env, at_s, lambda _: self._new_block(length_s))

    def _new_block(self, length_s: float) -> None:
        """Give the flows on this grid their rates in the block that begins; with none, let the grid rest."""
        self._grids.remove(length_s)
        lanes = [
            lane
            for lane, flows in self._on_lane.items()
            if flows and self._air.coherence_on(lane) == length_s
        ]
        if lanes:
            self._rate(lanes)
            self._arm_grid(length_s)


def _block_at(now_s: float, length_s: float | None) -> int:
    """Return the number of the coherence block [k T, (k + 1) T) that holds `now_s`."""
    if length_s is None:
        return 0
    block = floor(now_s / length_s)
    return block + ((block + 1) * length_s <= now_s) - (block * length_s > now_s)


def _refuse_coarse_clock(transfer: FluidTransfer, now_s: float) -> None:
    """Raise `BadInput` if the clock's last digit is more than a millionth of what `transfer` took."""
    flow = transfer.flow
    alone_s = flow.bits / flow.rate_bps if flow.rate_bps > 0.0 else 0.0
    took_s = max(now_s - transfer.asked_s, alone_s)
    if took_s > _NO_TIME_S and ulp(now_s) > 1e-6 * took_s:
        clock = f"after {now_s:.6g} s the clock's last digit stands for {ulp(now_s):.1g} s"
        sent = f"the transfer {transfer.src} -> {transfer.dst} took {took_s:.3g} s"
        raise BadInput(f"{clock}, and {sent}: expected a millionth of that at most; simulate less time")
