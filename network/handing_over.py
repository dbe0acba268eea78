"""Transfers that go on at other stations, because their devices do. It knows no radio."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import simpy

from slfac_sim.network.air import Air
from slfac_sim.network.contract import Handover
from slfac_sim.network.engine import Call, Flow
from slfac_sim.network.link_accounts import LinkAccounts
from slfac_sim.network.on_air import OnAir
from slfac_sim.network.planning import Planning, received_by
from slfac_sim.network.transfers import OnLane, Path, Plan
from slfac_sim.network.under_way import FluidTransfer
from slfac_sim.network.varying.changing import EffectsOf


class _Carried(NamedTuple):
    """Bits left of a transfer whose device may have been handed over between two times, the later one too."""

    since_s: float
    until_s: float
    bits: float


class HandingOver:
    """Has transfers leave the lane of one station and go on, off the air for a while, on that of another.

    A transfer takes along its bits, and what it has had is added up. Of a multicast each receiver that goes
    elsewhere takes what is left, as a part of its own, which `take_up` is told. `begin` hears of those that
    have to begin anew, `through` of one whose last bit leaves at that very instant.
    """

    def __init__(
        self,
        env: simpy.Environment,
        air: Air,
        on_air: OnAir,
        planning: Planning,
        accounts: LinkAccounts,
        effects: EffectsOf,
        take_up: Callable[[FluidTransfer], None],
        begin: Callable[[FluidTransfer], None],
        through: Callable[[FluidTransfer], None],
    ) -> None:
        self._env, self._air, self._on_air = env, air, on_air
        self._planning, self._accounts, self._effects = planning, accounts, effects
        self._take_up, self._begin, self._through = take_up, begin, through
        self._carried: defaultdict[str, list[_Carried]] = defaultdict(list)

    def staying(self, transfers: Sequence[OnLane]) -> list[OnLane]:
        """Return those of `transfers`, all on their lanes, that stay there; the others go."""
        return [one for one in transfers if not isinstance(one, FluidTransfer) or self._stays(one)]

    def is_ready(self, transfer: FluidTransfer) -> bool:
        """Return whether a transfer that is on no lane can begin now where its devices are.

        Otherwise it is told to begin once the interruption is over, or its devices may have gone elsewhere.
        """
        if self._env.now > transfer.since_s:
            left_bits = transfer.flow.left_bits
            self._note(transfer, transfer.path.devices, left_bits)
            self._follow(transfer, self._paths(transfer), left_bits)
            transfer.since_s = self._env.now
        now_s, path = self._env.now, transfer.path
        resumes_s = self._air.resumes_s(path, now_s)
        if resumes_s > now_s:
            again_s = min(resumes_s, self._effects(path).next_s(now_s))
            Call(self._env, again_s, lambda _: self._begin(transfer))
        return resumes_s <= now_s

    def told(self, handovers: Sequence[Handover]) -> list[Handover]:
        """Return `handovers` with the bits that went along."""
        at_s: defaultdict[str, list[float]] = defaultdict(list)
        for handover in handovers:
            at_s[handover.device].append(handover.at_s)
        bits = {device: iter(self._bits_at(device, times_s)) for device, times_s in at_s.items()}
        return [replace(handover, carried_bits=next(bits[handover.device])) for handover in handovers]

    def _bits_at(self, device: str, times_s: Sequence[float]) -> list[float]:
        bits = [0.0] * len(times_s)
        for since_s, until_s, left_bits in self._carried[device]:
            for place in range(bisect_right(times_s, since_s), bisect_right(times_s, until_s)):
                bits[place] += left_bits
        return bits

    def _paths(self, transfer: FluidTransfer) -> Sequence[Path]:
        """Return the paths on which the receivers of `transfer` are now."""
        dsts = (transfer.dst,) if transfer.path.uplink else transfer.path.devices
        return self._air.paths_at(transfer.src, dsts, self._env.now)

    def _stays(self, transfer: FluidTransfer) -> bool:
        paths, lane = self._paths(transfer), transfer.path.lane
        if len(paths) == 1 and paths[0].lane == lane:
            return True
        stays = any(path.lane == lane for path in paths)
        if stays:
            left_bits = self._on_air.left_bits(transfer)
        else:
            self._on_air.withdraw(transfer)
            left_bits = transfer.flow.left_bits
        if left_bits == 0.0:
            if not stays:
                self._through(transfer)
            return stays and transfer.last_bit_s is None
        gone = [device for path in paths if path.lane != lane for device in path.devices]
        self._note(transfer, gone, left_bits)
        self._follow(transfer, paths, left_bits)
        if not stays:
            self._begin(transfer)
        return stays

    def _follow(self, transfer: FluidTransfer, paths: Sequence[Path], left_bits: float) -> None:
        """Have the transfer go on by one of `paths`, that on its lane if any is, and new parts by others."""
        first = next((path for path in paths if path.lane == transfer.path.lane), paths[0])
        for path in paths:
            if path is not first:
                self._part_off(transfer, path, left_bits)
        if first.lane != transfer.path.lane:
            self._go(transfer, first, left_bits)
        elif first.devices != transfer.path.devices:
            transfer.plan = received_by(transfer.plan, first.devices)
            self._on_air.narrow(transfer, _with_copies(first, transfer.path))

    def _go(self, transfer: FluidTransfer, path: Path, left_bits: float) -> None:
        now_s = transfer.since_s = self._env.now
        if transfer.path.hops:
            self._accounts.settle(transfer, now_s)
        path = _with_copies(path, transfer.path)
        plan, flow = self._continued(transfer, path, left_bits)
        transfer.go_on(now_s, path, plan, flow)

    def _part_off(self, transfer: FluidTransfer, path: Path, left_bits: float) -> None:
        """Begin a part for receivers of a multicast that have left the others."""
        path = _with_copies(path)
        plan, flow = self._continued(transfer, path, left_bits)
        self._take_up(transfer.parted(self._env.now, path, plan, flow))

    def _continued(self, transfer: FluidTransfer, path: Path, left_bits: float) -> tuple[Plan, Flow]:
        ends = (transfer.src, transfer.dst, transfer.number)
        return self._planning.continued(ends, path, transfer.payload_bytes, transfer.plan, left_bits)

    def _note(self, transfer: FluidTransfer, devices: Sequence[str], left_bits: float) -> None:
        for device in devices:
            self._carried[device].append(_Carried(transfer.since_s, self._env.now, left_bits))


def _with_copies(path: Path, before: Path | None = None) -> Path:
    """Return `path` with a copy of its own on each wire, in part where it was one on the way `before`."""
    parts = {} if before is None else {hop.link: hop.part for hop in before.hops}
    hops = tuple(replace(hop, part=parts.get(hop.link, 1.0)) for hop in path.hops)
    return path if hops == path.hops else replace(path, hops=hops)
