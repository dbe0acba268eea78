"""Sending on the simulated clock: transfers of the network, and a row for each. It knows no processor."""

import dataclasses
from collections.abc import Generator, Iterator
from typing import Any

import simpy

from slfac_sim.effects import HostDown, Send, TransferLost
from slfac_sim.ledger.store import Ledger
from slfac_sim.network import Delivery, Lost, Network
from slfac_sim.simulation.metering import Meter
from slfac_sim.simulation.outages import Outages, cause_of
from slfac_sim.simulation.tally import Tally

Steps = Generator[simpy.Event, Any, Any]


@dataclasses.dataclass(eq=False, slots=True)
class _UnderWay:
    """A transfer under way: who asked for it, from whom it is, and who of its receivers still gets it."""

    asker: simpy.Process | None
    src: str
    dsts: tuple[str, ...]


class Transmissions:
    """Transfers on `network` between hosts that are up.

    `meter`, if there is one, is told of every transfer that had begun once it has ended, and who received it
    until then.
    """

    def __init__(
        self,
        env: simpy.Environment,
        network: Network,
        ledger: Ledger,
        tally: Tally,
        outages: Outages,
        meter: Meter | None,
    ) -> None:
        self._env = env
        self._network = network
        self._ledger = ledger
        self._tally = tally
        self._outages = outages
        self._meter = meter
        self._under_way: dict[_UnderWay, None] = {}

    def send(self, effect: Send, task: str, seq: int) -> Steps:
        """Return the hosts that were reached. Raises `TransferLost` or `HostDown`."""
        src, dst, nbytes = effect.src, effect.dst, 0
        for parcel in effect.payloads.values():
            nbytes += parcel.nbytes
        if self._outages.down:
            try:
                dst = self._reachable(effect)
            except HostDown:
                refused = self._network.transfer(src, dst, nbytes).cancel()
                self._write(effect, task, seq, refused, "cancelled")
                raise
        transfer = self._network.transfer(src, dst, nbytes)
        under_way = _UnderWay(self._env.active_process, src, dst if isinstance(dst, tuple) else (dst,))
        self._under_way[under_way] = None
        try:
            delivery: Delivery = yield transfer
        except Lost as lost:
            self._end(effect, task, seq, under_way, lost.delivery, "lost")
            raise TransferLost(str(lost)) from None
        except simpy.Interrupt as stop:
            self._end(effect, task, seq, under_way, transfer.cancel(), "cancelled")
            raise cause_of(stop) from None
        self._end(effect, task, seq, under_way, delivery, "delivered")
        return under_way.dsts

    def fail(self, host: str, failure: HostDown) -> None:
        """Raise `failure` into every transfer from `host`, or to it alone; multicasts go on without it."""
        for one in list(self._under_way):
            if one.src == host or one.dsts == (host,):
                del self._under_way[one]
                assert one.asker is not None  # effects are performed by processes
                one.asker.interrupt(failure)
            elif host in one.dsts:
                one.dsts = tuple(dst for dst in one.dsts if dst != host)

    def can_fail(self) -> bool:
        """Return whether an outage that is still to come would end a transfer that is under way."""
        comes = self._outages.will_go_down
        return any(comes(one.src) or all(map(comes, one.dsts)) for one in self._under_way)

    def under_way(self) -> Iterator[str]:
        """Yield, in words, every transfer that the network has not ended yet, by its own account."""
        for one in self._network.stalled():
            yield f"{one.src} -> {one.dst} ({one.payload_bytes} bytes since {one.asked_s:.6g} s)"

    def _reachable(self, effect: Send) -> str | tuple[str, ...]:
        """Return who there is to send to. Raises `HostDown` if the sender or all receivers are down."""
        self._outages.check(effect.src)
        if not isinstance(effect.dst, tuple):
            self._outages.check(effect.dst)
            return effect.dst
        there = self._outages.present(effect.dst)
        if not there:
            self._outages.check(effect.dst[0])
        return there

    def _end(
        self, effect: Send, task: str, seq: int, under_way: _UnderWay, delivery: Delivery, outcome: str
    ) -> None:
        self._under_way.pop(under_way, None)
        self._write(effect, task, seq, delivery, outcome)
        if self._meter is not None:
            self._meter.sent(delivery, under_way.dsts)

    def _write(self, effect: Send, task: str, seq: int, delivery: Delivery, outcome: str) -> None:
        append, figures = self._ledger.append, delivery[:-1]  # but `delivered`, as the columns of the table
        number = append("transfers", (task, seq, *figures, outcome))
        for kind, parcel in effect.payloads.items():
            append("payloads", (number, kind, parcel.nbytes, parcel.values, parcel.sha256))
            self._tally.count(kind, parcel)
        if outcome == "delivered":
            self._ledger.delivered_bytes += delivery.payload_bytes
