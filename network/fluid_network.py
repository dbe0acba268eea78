"""A network over any `Air`: transfers become flows, flows become deliveries. It knows no radio."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from math import floor, ulp
from types import MappingProxyType
from typing import Annotated, Any, Self

import simpy
from pydantic import Field

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.fields import OrNone
from slfac_sim.foundation.plugins import Plugin, kind_of, settings
from slfac_sim.foundation.units import Seconds
from slfac_sim.network.change import Effect
from slfac_sim.network.change._steady import steadied
from slfac_sim.network.change_survey import surveyed
from slfac_sim.network.changing import Capacity, Changes, Effects, EffectsOf, effects_of, unchanged
from slfac_sim.network.contract import Hosts, LinkUse, Network, NetworkSettings, Survey, Transfer
from slfac_sim.network.delays import Delays, Jitter
from slfac_sim.network.engine import Call, Engine, Flow, Routed, Share
from slfac_sim.network.engine.joined import JoinedShare
from slfac_sim.network.link_accounts import LinkAccounts
from slfac_sim.network.timetable import Timetable
from slfac_sim.network.transfers import FluidTransfer, JointTransfer, Lane, Path, Plan
from slfac_sim.network.transport import Framing, Message, Sender
from slfac_sim.network.transport.fluid import Fluid

_NO_TIME_S = 1e-12  # whatever takes less is meant to take none: its rate stands for infinity
_NO_PACKETS = Framing()
_NOTHING_TO_LOSE = "packets are lost on the way, but transport: fluid has none; tcp and udp do"
_NO_WIRES: Mapping[str, float] = MappingProxyType({})

ChangeName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Among = Callable[[int], float] | None


class Air(ABC):
    """What lies between the servers and the devices, for one seed: lanes, and the paths on them.

    A lane is a medium of its own. Rates change on a grid of blocks, if at all, and with how many senders
    are `heard` of other lanes.
    """

    @property
    def coherence_s(self) -> float | None:
        """The length of a block; None, as it stands, where there are none."""
        return None

    def coherence_on(self, lane: str) -> float | None:
        """Return the length of a block on `lane`; as it stands, all lanes are on one grid."""
        return self.coherence_s

    def lanes(self) -> Sequence[Lane]:
        """Return all lanes, for wires that follow them; as it stands it does not tell, and none can."""
        return ()

    @abstractmethod
    def survey(self) -> Survey:
        """Return what it offers each device."""

    @abstractmethod
    def paths(self, src: str, dsts: tuple[str, ...]) -> Sequence[Path]:
        """Return the paths from `src` to all of `dsts`, one for each station that sends.

        Raises `KeyError` for an unknown host.
        """

    @abstractmethod
    def share(self, lane: str) -> Share:
        """Return the medium of `lane`, empty."""

    @abstractmethod
    def rate_bps(self, path: Path, block: int, heard: Mapping[str, int]) -> tuple[float, Among]:
        """Return the rate on `path` alone on its lane, and among n, in the coherence block `block`."""

    def rates_bps(
        self, paths: Sequence[Path], block: int, heard: Mapping[str, int]
    ) -> Sequence[tuple[float, Among]]:
        """Return what `rate_bps` says of each path; as it stands, one by one."""
        return [self.rate_bps(path, block, heard) for path in paths]

    def senders(self, lane: str, transfers: int) -> int:
        """Return how many senders the lanes that `lane` disturbs hear of it while `transfers` are on it."""
        return 0

    def disturbed(self, lane: str) -> Sequence[str]:
        """Return the lanes whose rates depend on how many senders `lane` has; as it stands, none."""
        return ()

    @property
    def wires(self) -> Mapping[str, float]:
        """The capacity of each way of each wire, or of both together; as it stands, there are no wires."""
        return _NO_WIRES

    def may_fill(self, lane: str) -> Collection[str]:
        """Return the wires that may be full, if some of them follow `lane`; otherwise none."""
        return ()

    def framing(self, lane: str) -> Framing:
        """Return what packets cost on `lane`; as it stands, nothing."""
        return _NO_PACKETS

    def takes_caps(self, lane: str) -> bool:
        """Return whether `lane` keeps to the caps of flows; as it stands it does."""
        return True

    @property
    def varies(self) -> bool:
        """Whether there are `effects` on any path; as it stands there are none."""
        return False

    def effects(self, path: Path) -> Sequence[Effect]:
        """Return what changes the rate of `path` at times of its own; as it stands, nothing does."""
        return ()

    @property
    def wire_effects(self) -> Mapping[str, Effects]:
        """What changes each way of wires; as it stands, nothing does."""
        return {}

    def alone_bps(self, path: Path, rate_bps: float) -> float:
        """Return what a transfer alone gets of the lane of `path`, at one of its rates; as it stands, that.

        What wires leave of it has no part in this.
        """
        return rate_bps


@settings
class FluidSettings(NetworkSettings):
    """Settings of a network that is an `Air`. A setting that every such network has is a field here."""

    transport: Annotated[Any, Plugin("slfac_sim.network.transport", "fluid")] = Fluid()
    """What becomes of a message: its bits flow (`fluid`), or it is cut into packets that cross link after
    link, may be lost and sent again, and with `tcp` wait for a connection and a window.
    """
    jitter: Annotated[Jitter | None, OrNone()] = None
    """By how much transfers arrive later than their latency says, each by a time of its own; `none`: by
    nothing.
    """
    grant: Seconds = 0.0
    """Time from asking for an uplink to its first bit on the air: some 5 ms where a device of NR has to ask
    for each grant, 0 where it has one.
    """

    change: dict[ChangeName, Annotated[Any, Plugin("slfac_sim.network.change")]] | None = None
    """What changes with time, by names of one's own: measured rates, outages."""

    @property
    def loses_packets(self) -> bool:
        """Whether wires or changes have packets lost; as they stand, wires lose none."""
        return any(change.loses_packets for change in (self.change or {}).values())

    @property
    def in_packets(self) -> bool:
        """Whether messages travel in packets of their transport."""
        return bool(self.transport.counts_packets)

    @property
    def may_lose(self) -> bool:
        """Whether packets are lost, and their transport gives up."""
        return bool(self.transport.gives_up and (self.transport.loss > 0.0 or self.loses_packets))

    @property
    def still(self) -> Self:
        """The same network with the means of its changes and its jitter; its transport never gives up."""
        jitter = None if self.jitter is None else self.jitter.still
        change = None if self.change is None else steadied(self.change)
        return replace(self, transport=self.transport.still, jitter=jitter, change=change)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The stations that are each a node where wires follow; as it stands, the network is one node."""
        return ()

    @abstractmethod
    def air(self, hosts: Hosts, seed: int) -> Air:
        """Return the air between `hosts`, with every draw keyed by `seed`. Raises `BadInput`."""

    def survey(self, hosts: Hosts, seed: int) -> Survey:
        """Return what the air offers, as a run with this `seed` will find it. Raises `BadInput`."""
        air = self.air(hosts, seed)
        survey = self._surveyed(air)
        return surveyed(survey, air.paths, self._changes(air, hosts, seed).on) if self.change else survey

    def _surveyed(self, air: Air) -> Survey:
        """Return what `air` offers with the packets of the transport and the mean of the jitter."""
        survey, mean_s = air.survey(), 0.0 if self.jitter is None else self.jitter.mean
        if mean_s > 0.0:
            links = [replace(link, latency_s=link.latency_s + mean_s) for link in survey.links]
            survey = replace(survey, links=links)
        if not self.in_packets:
            lossy = [_NOTHING_TO_LOSE] if self.loses_packets else []
            return replace(survey, remarks=[*survey.remarks, *lossy])
        framings = {self.transport.framed(air.framing(lane)) for lane in _names(air)}
        framing = framings.pop() if len(framings) == 1 else _NO_PACKETS
        return replace(survey, packet_bytes=framing.packet_bytes, header_bytes=framing.header_bytes)

    def open(self, env: Any, hosts: Hosts, seed: int) -> "FluidNetwork":
        """Return the network on `env`, with the links of the survey."""
        air, delays = self.air(hosts, seed), Delays(seed, self.jitter, self.grant)
        effects: EffectsOf = unchanged
        if self.change or air.varies:
            effects = effects_of(air.effects, self._changes(air, hosts, seed), air.wire_effects)
        return FluidNetwork(env, air, self.transport.open(seed), effects, delays)

    def _changes(self, air: Air, hosts: Hosts, seed: int) -> Changes:
        for name, change in (self.change or {}).items():
            if change.only_loses and not self.in_packets:
                wanted = f"{kind_of(self.transport)} has none: expected network.transport: tcp or udp"
                raise BadInput(f"network.change.{name}: {kind_of(change)} loses packets, and {wanted}")
        lanes = [lane.name for lane in air.lanes()] if self.change else []
        return Changes(self.change or {}, lanes, air.wires, hosts.devices, seed)


class FluidNetwork(Network):
    """A `Network` over any `Air`."""

    def __init__(
        self,
        env: simpy.Environment,
        air: Air,
        sender: Sender,
        effects: EffectsOf = unchanged,
        delays: Delays | None = None,
    ) -> None:
        self._env = env
        self._effects, self._timetable = effects, Timetable(env, self._renew)
        self._air, self._sender, self._delays = air, sender, delays or Delays()
        self._numbers: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._engine = Engine(env)
        self._shares: dict[str, Share] = {}
        self._joined = JoinedShare(air.share, air.wires)
        for link, effects_on in air.wire_effects.items():
            self._engine.follow(self._joined, Capacity(effects_on), link)
        self._accounts = LinkAccounts({lane.name: lane.part for lane in air.lanes()}, air.wires)
        self._under_way: dict[FluidTransfer, None] = {}
        self._on_lane: dict[str, dict[FluidTransfer, None]] = {}
        self._heard: dict[str, int] = {}
        self._unsettled: dict[str, None] = {}
        self._grids: set[float] = set()

    def transfer(self, src: str, dst: str | tuple[str, ...], nbytes: int) -> Transfer:
        """Start to send, as every `Network`; one of two ends must be the server.

        Raises `KeyError` for other hosts, `ValueError` for a negative size.
        """
        if nbytes < 0:
            raise ValueError(f"{src} -> {dst}: {nbytes} bytes to send")
        paths = self._air.paths(src, dst if isinstance(dst, tuple) else (dst,))
        name = "*" if isinstance(dst, tuple) else dst
        self._numbers[src, name] += 1
        if len(paths) == 1:
            return self._transfer(src, name, paths[0], nbytes)
        return JointTransfer(self._env, [self._transfer(src, name, path, nbytes) for path in paths])

    def stalled(self) -> Sequence[Transfer]:
        """Return the transfers that are under way, in the order of their start."""
        return tuple(self._under_way)

    def link_use(self) -> Sequence[LinkUse]:
        """Return what each lane and each wire has carried, if there are wires."""
        under_way = [transfer for transfer in self._under_way if transfer.last_bit_s is None]
        return self._accounts.use(under_way) if self._air.wires else ()

    def _transfer(self, src: str, dst: str, path: Path, nbytes: int) -> FluidTransfer:
        rate_bps, among = self._air.rate_bps(path, self._block(path.lane), self._heard)
        rate_bps, among = self._effects(path).rate(self._env.now, rate_bps, among)
        plan = self._sender.plan(self._message(src, dst, path, nbytes, rate_bps))
        plan = self._delays.added(plan, path, src, dst, self._numbers[src, dst])
        own = (plan.bits, rate_bps, 1.0, plan.cap_bps, among, src, dst, path.power_among)
        flow = self._routed(Routed(*own), path, plan) if self._air.may_fill(path.lane) else Flow(*own)
        transfer = FluidTransfer(self._env, src, dst, path, nbytes, plan, flow, self._give_up)
        self._under_way[transfer] = None
        if nbytes == 0:
            self._last_bit_left(transfer)
        elif plan.wait_s > 0.0:
            Call(self._env, self._env.now + plan.wait_s, lambda _: self._begin(transfer))
        else:
            self._begin(transfer)
        return transfer

    def _message(self, src: str, dst: str, path: Path, nbytes: int, rate_bps: float) -> Message:
        return Message(
            src=src,
            dst=dst,
            number=self._numbers[src, dst],
            payload_bytes=nbytes,
            path=self._effects(path).seen(self._env.now, path),
            framing=self._air.framing(path.lane),
            alone_bps=self._air.alone_bps(path, rate_bps) if rate_bps > 0.0 else 0.0,
            rtt_s=self._delays.rtt_s(path, self._latency_s(path)),
            now_s=float(self._env.now),
            takes_caps=self._air.takes_caps(path.lane),
            losses=self._effects(path).losses(self._env.now),
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
            self._send(transfer)
            if transfer.plan.wait_s > 0.0:
                self._renew([transfer])

    def _send(self, transfer: FluidTransfer) -> None:
        lane = transfer.path.lane
        on_lane = self._on_lane.setdefault(lane, {})
        on_lane[transfer] = None
        self._engine.start(self._share(lane), transfer.flow, lambda _: self._last_bit_left(transfer))
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

    def _leave(self, transfer: FluidTransfer) -> bool:
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
        del self._under_way[transfer]
        if self._leave(transfer):
            self._engine.cancel(transfer.flow)
        if transfer.last_bit_s is None:
            self._settle_account(transfer)

    def _settle_account(self, transfer: FluidTransfer) -> None:
        if transfer.path.hops:
            self._accounts.settle(transfer)

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

    def _renew(self, transfers: Sequence[FluidTransfer]) -> None:
        """Give the flows of `transfers` the rates of the present, all in one reallocation."""
        alike: dict[float | None, list[FluidTransfer]] = {}
        for transfer in transfers:
            alike.setdefault(self._air.coherence_on(transfer.path.lane), []).append(transfer)
        now_s, rates_bps = self._env.now, []
        for length_s, group in alike.items():
            paths = [transfer.path for transfer in group]
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


def _names(air: Air) -> Sequence[str]:
    """Return the names of the lanes of `air`; one that does not tell has them all alike."""
    return [lane.name for lane in air.lanes()] or [""]


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
