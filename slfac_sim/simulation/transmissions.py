"""Sending on the simulated clock: transfers, a row for each, sums of their bodies. It knows no processor."""

import dataclasses
import math
from collections import defaultdict
from collections.abc import Iterator

import simpy

from slfac_sim.effects import HostDown, Parcel, Send, TransferLost
from slfac_sim.ledger.store import Ledger
from slfac_sim.network import Delivery, Lost, Network
from slfac_sim.simulation.clock import Steps
from slfac_sim.simulation.energy import Meter
from slfac_sim.simulation.outages import Outages, cause_of

_FIGURES = Delivery._fields.index("tries") + 1  # as many are columns of the table

WHOLE = "body"  # the part of a body whose codec tells of none


class Tally:
    """Counts what bodies are made of until their round has ended, then writes `parts` and `codec_notes`.

    Four to ten rows for each kind of body and round, however many messages there are. Sums do not depend on
    the order of the messages: two clocks under which the same bodies are sent in the same rounds leave equal
    rows.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], tuple[int, int]] = {}
        self._notes: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._last_round = 0

    def count(self, kind: str, parcel: Parcel) -> None:
        """Count a payload; a recorded one, whose parts are None, is on record."""
        if parcel.parts is None:
            return
        for part, nbytes in (parcel.parts or {WHOLE: parcel.nbytes}).items():
            messages, before = self._parts.get((kind, part), (0, 0))
            self._parts[kind, part] = messages + 1, before + nbytes
        for name, value in parcel.notes.items():
            self._notes[kind, name].append(float(value))

    def close_round(self, ledger: Ledger, round_number: int | None = None) -> None:
        """Write what was counted since the last call as this round (None: the one after the last)."""
        round_number = self._last_round + 1 if round_number is None else round_number
        for key in sorted(self._parts):
            ledger.append("parts", (round_number, *key, *self._parts[key]))
        for key in sorted(self._notes):
            values = self._notes[key]
            ledger.append("codec_notes", (round_number, *key, len(values), math.fsum(values) / len(values)))
        self._parts.clear()
        self._notes.clear()
        self._last_round = round_number


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
        outages: Outages,
        meter: Meter | None,
    ) -> None:
        self._env = env
        self._network = network
        self._ledger = ledger
        self._tally = Tally()
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
        return tuple(dst for dst in under_way.dsts if dst not in delivery.missed)

    def fail(self, host: str, failure: HostDown) -> None:
        """Raise `failure` into every transfer from `host`, or to it alone; multicasts go on without it."""
        for transfer in list(self._under_way):
            if transfer.src == host or transfer.dsts == (host,):
                del self._under_way[transfer]
                assert transfer.asker is not None  # effects are performed by processes
                transfer.asker.interrupt(failure)
            elif host in transfer.dsts:
                transfer.dsts = tuple(dst for dst in transfer.dsts if dst != host)

    def can_fail(self) -> bool:
        """Return whether an outage that is still to come would end a transfer that is under way."""
        comes = self._outages.will_go_down
        return any(comes(transfer.src) or all(map(comes, transfer.dsts)) for transfer in self._under_way)

    def under_way(self) -> Iterator[str]:
        """Yield, in words, every transfer that the network has not ended yet, by its own account."""
        for transfer in self._network.stalled():
            what = f"{transfer.payload_bytes} bytes since {transfer.asked_s:.6g} s"
            yield f"{transfer.src} -> {transfer.dst} ({what})"

    def close_round(self, round_number: int | None = None) -> None:
        """Write the sums of the bodies since the last call, as `Tally.close_round` does."""
        self._tally.close_round(self._ledger, round_number)

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
        append, figures = self._ledger.append, delivery[:_FIGURES]
        transfer = append("transfers", (task, seq, *figures, outcome))
        for kind, parcel in effect.payloads.items():
            append("payloads", (transfer, kind, parcel.nbytes, parcel.values, parcel.sha256))
            self._tally.count(kind, parcel)
        for link, limited_s in delivery.limited_s.items():
            append("bottlenecks", (transfer, link, limited_s))
        if delivery.set_up_s > 0.0:
            append("set_ups", (transfer, delivery.set_up_s))
        if outcome == "delivered":
            self._ledger.delivered_bytes += delivery.payload_bytes
