"""The three places from which a run is watched: its ledger, its protocol and its network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING, Any

import simpy

from slfac_sim.effects import Effect, Send
from slfac_sim.ledger.store import Ledger, Row
from slfac_sim.ledger.tables import TABLES
from slfac_sim.network import Hosts, Network, Survey, Transfer
from slfac_sim.simulation.observer import Observer

if TYPE_CHECKING:
    from slfac_sim.simulation.invariants._violated import Laws

_NAMES = {table: tuple(name for name in columns if name != "id") for table, columns in TABLES.items()}


_TICKS_PER_S = 2.0**60


def _ticks(at_s: float) -> int:
    """Return `at_s` on a clock of integers, on which sums are exact however long a run is."""
    return int(at_s * _TICKS_PER_S)


class System:
    """Something that things come to and leave: who is inside, counted, and what the ledger says of them."""

    def __init__(self) -> None:
        self.inside = 0
        self._integral = self._sojourns = self._since = 0  # in ticks

    def change(self, by: int, now_s: float) -> None:
        """Let so many come now, or leave."""
        now = _ticks(now_s)
        self._integral += self.inside * (now - self._since)
        self._since = now
        self.inside += by

    def tell(self, row: dict[str, Any]) -> None:
        """Add the time that one has been inside by its row."""
        self._sojourns += _ticks(row["end_s"]) - _ticks(row["asked_s"])

    @property
    def balanced(self) -> bool:
        """Whether both accounts say the same."""
        return self._integral == self._sojourns

    @property
    def by_counting_s(self) -> float:
        """The number inside, integrated over time."""
        return self._integral / _TICKS_PER_S

    @property
    def in_ledger_s(self) -> float:
        """The times spent inside, by the rows, summed."""
        return self._sojourns / _TICKS_PER_S


@dataclass
class Watch:
    """The clock of the run, who hears of it, and what its network was told.

    `offered_bytes` are all payload bytes that it was to carry, `on_air` the transfers that it has not
    ended yet, `air` the system of these. `asker` is the task that asked last, and
    `broken` says that a law was, or that the run was broken off: what follows is not whole.
    """

    laws: "tuple[Laws, ...]" = ()
    env: simpy.Environment | None = None
    network: Network | None = None
    offered_bytes: int = 0
    on_air: dict[Transfer, int] = field(default_factory=dict)
    air: System = field(default_factory=System)
    asker: str = ""
    broken: bool = False
    _by_task: dict[str, Transfer] = field(default_factory=dict)

    @property
    def now_s(self) -> float:
        """The simulated time."""
        return float(self.env.now) if self.env is not None else nan

    def begin(self, transfer: Transfer, nbytes: int) -> None:
        """Count a transfer in."""
        self.air.change(1, self.now_s)
        self.offered_bytes += nbytes
        self.on_air[transfer] = nbytes
        self._by_task[self.asker] = transfer
        assert transfer.callbacks is not None
        transfer.callbacks.append(lambda _: self.end(transfer))

    def left(self, task: str) -> None:
        """Count out what `task` waited for: a transfer that was given up never happens."""
        transfer = self._by_task.pop(task, None)
        if transfer is not None:
            self.end(transfer)

    def end(self, transfer: Transfer) -> None:
        """Count a transfer out, once."""
        if self.on_air.pop(transfer, None) is not None:
            self.air.change(-1, self.now_s)


class Ears(Observer):
    """Tells the laws what the protocol asks for and when it is answered."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that `effect` is asked for; if it is a `Send`, the network is told next."""
        self._watch.asker = task
        for laws in self._watch.laws:
            laws.asked(task, seq, effect)

    def answered(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that it is done."""
        self._left(task, seq, effect)

    def failed(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that it could not be done."""
        self._left(task, seq, effect)

    def withdrawn(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that it is no longer waited for."""
        self._left(task, seq, effect)

    def _left(self, task: str, seq: int, effect: Effect) -> None:
        if isinstance(effect, Send):
            self._watch.left(task)
        for laws in self._watch.laws:
            laws.left(task, seq, effect)


class WatchedLedger(Ledger):
    """A ledger that writes into `inner` and tells the laws of every row before it does."""

    def __init__(self, inner: Ledger, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    @property
    def delivered_bytes(self) -> int:
        """Payload bytes delivered so far."""
        return self._inner.delivered_bytes

    @delivered_bytes.setter
    def delivered_bytes(self, nbytes: int) -> None:
        self._inner.delivered_bytes = nbytes

    def append(self, table: str, values: Row) -> int:
        """Append a row and return its number. Raises `Violated`."""
        row = dict(zip(_NAMES[table], values, strict=True))
        for laws in self._watch.laws:
            laws.row(table, row)
        return self._inner.append(table, values)

    def commit(self) -> None:
        """Keep everything added so far."""
        self._inner.commit()

    def tuples(self, table: str, names: Sequence[str]) -> list[Row]:
        """Return the columns `names` of all rows of `table`."""
        return self._inner.tuples(table, names)

    def last(self, table: str, name: str) -> Any:
        """Return the column `name` of the last row of `table`, or None."""
        return self._inner.last(table, name)

    def chunks(self, table: str) -> Iterator[list[Row]]:
        return self._inner.chunks(table)


class WatchedNetwork:
    """Settings of a network that open a watched one; all else is as in `inner`."""

    def __init__(self, inner: Any, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def survey(self, hosts: Hosts, seed: int) -> Survey:
        """Return what the air offers."""
        survey: Survey = self._inner.survey(hosts, seed)
        return survey

    def open(self, env: simpy.Environment, hosts: Hosts, seed: int) -> Network:
        """Return the network on `env`."""
        self._watch.env = env
        self._watch.network = self._inner.open(env, hosts, seed)
        return _Told(self._watch.network, self._watch)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Told:
    """A network of which the watch is told every transfer."""

    def __init__(self, inner: Network, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def transfer(self, src: str, dst: str | tuple[str, ...], nbytes: int) -> Transfer:
        transfer = self._inner.transfer(src, dst, nbytes)
        self._watch.begin(transfer, nbytes)
        return transfer

    def stalled(self) -> Sequence[Transfer]:
        under_way: Sequence[Transfer] = self._inner.stalled()
        return under_way
