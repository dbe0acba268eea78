"""What is on the lanes of an air now, at the rates of the present. It knows no bytes and no wires."""

from collections.abc import Callable, Iterable, Sequence

import simpy

from slfac_sim.network.air import Air, Among
from slfac_sim.network.engine import Call, Engine, Flow, Share
from slfac_sim.network.transfers import OnLane, Path
from slfac_sim.network.varying.changing import EffectsOf
from slfac_sim.network.varying.courses import stretch_of
from slfac_sim.network.varying.timetable import Timetable

Done = Callable[[Flow], None]
Rate = tuple[float, Among]


class OnAir:
    """The flows on the lanes of `air`, which `engine` moves; `joined` is the share of lanes behind wires.

    It has their rates renewed at each block of fading, at each change of what `effects` says, and where
    others come and go whom they hear. Where devices go from station to station, `staying` takes those that
    have gone off their lanes first, and returns the others.
    """

    def __init__(
        self,
        env: simpy.Environment,
        air: Air,
        engine: Engine,
        joined: Share,
        effects: EffectsOf,
        staying: Callable[[Sequence[OnLane]], Sequence[OnLane]],
    ) -> None:
        self._env, self._air, self._engine = env, air, engine
        self._joined, self._effects, self._staying = joined, effects, staying
        self._moves, self._hands_over = air.varies, air.hands_over
        self._timetable = Timetable(env, self.renew)
        self._shares: dict[str, Share] = {}
        self._on_lane: dict[str, dict[OnLane, None]] = {}
        self._heard: dict[str, int] = {}
        self._unsettled: dict[str, None] = {}
        self._grids: set[float] = set()

    def rate(self, path: Path) -> Rate:
        """Return the rate on `path` now, alone on its lane and among n."""
        block = _block_at(self._env.now, self._air.coherence_on(path.lane))
        rate = self._air.rate_bps(path, block, self._heard)
        return self._effects(path).rate(self._env.now, *rate)

    def is_steady(self, path: Path) -> bool:
        """Return whether the rate on `path` never changes, and does not count on other lanes either."""
        if self._air.coherence_on(path.lane) is not None or self._air.disturbed(path.lane):
            return False
        return not self._effects(path).all

    def send(self, transfer: OnLane, done: Done) -> None:
        """Put the flow of `transfer` on its lane."""
        lane = transfer.path.lane
        self._on_lane.setdefault(lane, {})[transfer] = None
        self._engine.start(self.share(lane), transfer.flow, done)
        self._disturb(lane)
        self._timetable.join(self._effects(transfer.path), transfer)
        length_s = self._air.coherence_on(lane)
        if length_s is not None and length_s not in self._grids:
            self._arm_grid(length_s)

    def leave(self, transfer: OnLane) -> bool:
        """Free the lane of the transfer, if it is on one, and return whether it was."""
        lane = transfer.path.lane
        on_lane = self._on_lane.get(lane, {})
        if transfer not in on_lane:
            return False
        del on_lane[transfer]
        self._disturb(lane)
        self._timetable.leave(self._effects(transfer.path), transfer)
        return True

    def withdraw(self, transfer: OnLane) -> None:
        """Take a transfer off its lane, if it is on one; its flow says how far it came."""
        if self.leave(transfer):
            self._engine.cancel(transfer.flow)

    def left_bits(self, transfer: OnLane) -> float:
        """Return what is left now of the bits of a transfer on its lane, 0 if the last one has just left."""
        return self._engine.left_bits(transfer.flow)

    def narrow(self, transfer: OnLane, path: Path) -> None:
        """Have the transfer go on over `path`, to fewer receivers on the same lane."""
        on_it = transfer in self._on_lane.get(path.lane, {})
        if on_it:
            self._timetable.leave(self._effects(transfer.path), transfer)
        transfer.path = path
        if on_it:
            self._timetable.join(self._effects(path), transfer)

    def renew(self, transfers: Sequence[OnLane]) -> None:
        """Give the flows of `transfers` the rates of the present, all in one reallocation."""
        if self._hands_over:
            transfers = self._staying(transfers)
        alike: dict[float | None, list[OnLane]] = {}
        for transfer in transfers:
            alike.setdefault(self._air.coherence_on(transfer.path.lane), []).append(transfer)
        now_s, rates_bps = self._env.now, []
        for length_s, group in alike.items():
            paths = [one.path for one in group] if not self._moves else self._paths_at(now_s, group)
            rated = self._air.rates_bps(paths, _block_at(now_s, length_s), self._heard)
            for transfer, rate in zip(group, rated, strict=True):
                rate_bps, transfer.flow.among = self._effects(transfer.path).rate(now_s, *rate)
                rates_bps.append((transfer.flow, rate_bps))
        if rates_bps:
            self._engine.set_rates(rates_bps)

    def _paths_at(self, t_s: float, transfers: Sequence[OnLane]) -> list[Path]:
        return [one.path if one.stands else self._air.moved(one.path, t_s) for one in transfers]

    def share(self, lane: str) -> Share:
        """Return the medium of `lane`, or what it has in common with wires."""
        if self._air.may_fill(lane):
            return self._joined
        if lane not in self._shares:
            self._shares[lane] = self._air.share(lane)
        return self._shares[lane]

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
        self._renew_on(lanes)

    def _renew_on(self, lanes: Iterable[str]) -> None:
        """Give the flows on `lanes` the rates of the present."""
        self.renew([transfer for lane in lanes for transfer in self._on_lane.get(lane, ())])

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
            self._renew_on(lanes)
            self._arm_grid(length_s)


def _block_at(now_s: float, length_s: float | None) -> int:
    """Return the number of the coherence block that holds `now_s`; 0 where there are none."""
    return 0 if length_s is None else stretch_of(now_s, length_s)
