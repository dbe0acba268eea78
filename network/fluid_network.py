"""A network over any `Air`: transfers become flows, flows become deliveries. It knows no radio."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from math import inf, ulp

import simpy

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.air import Air
from slfac_sim.network.contract import Handover, LinkUse, Network, Sighting, Transfer
from slfac_sim.network.delays import Delays
from slfac_sim.network.engine import Call, Engine
from slfac_sim.network.engine.joined import JoinedShare
from slfac_sim.network.handing_over import HandingOver
from slfac_sim.network.link_accounts import LinkAccounts
from slfac_sim.network.on_air import OnAir
from slfac_sim.network.planning import Ends, Planning
from slfac_sim.network.transfers import OnLane, Path
from slfac_sim.network.transport import Sender
from slfac_sim.network.under_way import FluidTransfer, JointTransfer
from slfac_sim.network.varying.background import Source
from slfac_sim.network.varying.changing import EffectsOf, unchanged
from slfac_sim.network.varying.crowd import Crowd
from slfac_sim.network.varying.effects import Capacity
from slfac_sim.network.varying.own_clock import OwnClock

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
        self._hear = partial(Call, env) if self._own is None else self._own.hear
        self._effects = effects
        self._air, self._sender = air, sender
        self._moves, self._hands_over = air.varies, air.hands_over
        self._numbers: defaultdict[tuple[str, str], int] = defaultdict(int)
        engine, joined = Engine(env), JoinedShare(air.share, air.wires)
        for link, effects_on in air.wire_effects.items():
            engine.follow(joined, Capacity(effects_on), link)
        self._on_air = OnAir(env, air, engine, joined, effects, self._staying)
        self._planning = Planning(env, air, self._on_air, sender, delays or Delays(), effects)
        lanes = air.lanes() if air.wires else ()
        self._accounts = LinkAccounts({lane.name: lane.part for lane in lanes}, air.wires)
        self._under_way: dict[FluidTransfer, None] = {}
        self._looks = 0
        self._handing_over = HandingOver(
            env,
            air,
            self._on_air,
            self._planning,
            self._accounts,
            effects,
            self._take_up,
            self._begin_late,
            self._last_bit_left,
        )
        Crowd(env, air, engine, joined, self._on_air, self._accounts, background)

    def transfer(self, src: str, dst: str | tuple[str, ...], nbytes: int) -> Transfer:
        """Start to send, as every `Network`; one of two ends must be the server.

        Raises `KeyError` for other hosts, `ValueError` for a negative size, `RuntimeError` at a time of which
        the calendar did not tell, if there is background traffic.
        """
        if nbytes < 0:
            raise ValueError(f"{src} -> {dst}: {nbytes} bytes to send")
        if self._own is not None:
            self._own.catch_up()
            if self._env.now > self._outer.now:
                raise RuntimeError(
                    f"{src} -> {dst}: begun at {self._outer.now} s, when background traffic has run ahead to"
                    f" {self._env.now}: expected an event of the calendar, or Network.heed"
                )
        dsts = dst if isinstance(dst, tuple) else (dst,)
        paths = self._air.paths_at(src, dsts, self._env.now) if self._moves else self._air.paths(src, dsts)
        name = "*" if isinstance(dst, tuple) else dst
        number = self._numbers[src, name] = self._numbers[src, name] + 1
        ends = (src, name, number)
        if len(paths) == 1 and (name != "*" or not self._hands_over):
            return self._transfer(ends, paths[0], nbytes)
        return JointTransfer(self._outer, [self._transfer(ends, path, nbytes) for path in paths])

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
        self._catch_up()
        return self._handing_over.told(self._air.handovers(float(self._outer.now)))

    def heed(self, next_s: Callable[[], float]) -> None:
        """Let background traffic not run ahead of what comes at `next_s`, off the calendar."""
        if self._own is not None:
            self._own.next_s = next_s

    def sightings(self, times_s: Sequence[float]) -> Sequence[Sighting]:
        """Return where the devices that move are at each of `times_s`."""
        return self._air.sightings(times_s)

    def _transfer(self, ends: Ends, path: Path, nbytes: int) -> FluidTransfer:
        plan, flow = self._planning.begun(ends, path, nbytes)
        transfer = FluidTransfer(self._outer, ends, path, nbytes, plan, flow, self._give_up)
        self._under_way[transfer] = None
        if nbytes == 0:
            self._last_bit_left(transfer)
        elif plan.wait_s > 0.0:
            Call(self._env, self._env.now + plan.wait_s, lambda _: self._begin_late(transfer))
        else:
            self._begin(transfer)
        self._look_ahead()
        return transfer

    def _staying(self, transfers: Sequence[OnLane]) -> Sequence[OnLane]:
        return self._handing_over.staying(transfers)

    def _take_up(self, part: FluidTransfer) -> None:
        self._under_way[part] = None
        self._begin(part)

    def _begin(self, transfer: FluidTransfer) -> bool:
        """Put the transfer on the air, unless it has to wait for that, and return whether it is there.

        One that is unreachable waits for ever, off the air: there it would disturb other cells.
        """
        if transfer.path.unreachable or (self._hands_over and not self._handing_over.is_ready(transfer)):
            return False
        self._on_air.send(transfer, lambda _: self._last_bit_left(transfer))
        return True

    def _begin_late(self, transfer: FluidTransfer) -> None:
        """Put it on the air at the rate of the present, unless it has been given up while it waited."""
        if transfer in self._under_way and self._begin(transfer):
            self._on_air.renew([transfer])

    def _last_bit_left(self, transfer: FluidTransfer) -> None:
        """Take the transfer off the air, and have the receiver hold the bytes after the latency."""
        now_s = transfer.last_bit_s = self._env.now
        _refuse_coarse_clock(transfer, now_s)
        self._on_air.leave(transfer)
        if transfer.path.hops:
            self._accounts.settle(transfer, now_s)
        latency_s = self._latency_s(transfer.path) + transfer.plan.latency_s
        self._hear(now_s + latency_s, lambda _: self._arrive(transfer))

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
        self._on_air.withdraw(transfer)
        if transfer.last_bit_s is None and transfer.path.hops:
            self._accounts.settle(transfer, self._env.now)
        self._look_ahead()

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


def _refuse_coarse_clock(transfer: FluidTransfer, now_s: float) -> None:
    """Raise `BadInput` if the clock's last digit is more than a millionth of what `transfer` took."""
    flow = transfer.flow
    alone_s = flow.bits / flow.rate_bps if flow.rate_bps > 0.0 else 0.0
    took_s = max(now_s - transfer.asked_s, alone_s)
    if took_s > _NO_TIME_S and ulp(now_s) > 1e-6 * took_s:
        clock = f"after {now_s:.6g} s the clock's last digit stands for {ulp(now_s):.1g} s"
        sent = f"the transfer {transfer.src} -> {transfer.dst} took {took_s:.3g} s"
        raise BadInput(f"{clock}, and {sent}: expected a millionth of that at most; simulate less time")
