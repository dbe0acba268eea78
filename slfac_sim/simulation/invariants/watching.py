"""The three places from which a run is watched: its ledger, its protocol and its network."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import simpy

from slfac_sim.effects import Effect, Send
from slfac_sim.ledger.store import Ledger, Row
from slfac_sim.ledger.tables import TABLES
from slfac_sim.network import Handover, Hosts, LinkUse, Network, Sighting, Survey, Transfer
from slfac_sim.simulation.invariants.laws import Laws, Watch
from slfac_sim.simulation.networks import open_network
from slfac_sim.simulation.observer import Observer

_NAMES = {table: tuple(name for name in columns if name != "id") for table, columns in TABLES.items()}


class WatchedProtocol(Observer):
    """Tells the laws what the protocol asks for and when it is answered."""

    def __init__(self, watch: Watch, laws: Sequence[Laws]) -> None:
        self._watch = watch
        self._laws = laws

    def asked(self, task: str, seq: int, effect: Effect) -> None:
        """Hear that `effect` is asked for; if it is a `Send`, the network is told next."""
        self._watch.asker = task
        for laws in self._laws:
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
        for laws in self._laws:
            laws.left(task, seq, effect)


class WatchedLedger(Ledger):
    """A ledger that writes into `inner` and tells the laws of every row before it does."""

    def __init__(self, inner: Ledger, laws: Sequence[Laws]) -> None:
        self._inner = inner
        self._laws = laws

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
        for laws in self._laws:
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
        """Yield all rows of `table` whole, in order, some at a time."""
        return self._inner.chunks(table)


class WatchedNetwork:
    """What a simulation needs of the settings `inner` of a network, which it then has watched."""

    def __init__(self, inner: Any, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def homes(self, hosts: Hosts) -> Mapping[str, str]:
        """Return whom each device learns with."""
        homes: Mapping[str, str] = self._inner.homes(hosts)
        return homes

    def survey(self, hosts: Hosts, seed: int) -> Survey:
        """Return what the air offers."""
        survey: Survey = self._inner.survey(hosts, seed)
        return survey

    def open(self, env: simpy.Environment, hosts: Hosts, seed: int) -> Network:
        """Return the network on `env`."""
        self._watch.env = env
        self._watch.network = open_network(self._inner, env, hosts, seed)
        return _Watched(self._watch.network, self._watch)


class _Watched(Network):
    """A network of which the watch is told every transfer."""

    def __init__(self, inner: Network, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def transfer(self, src: str, dst: str | tuple[str, ...], nbytes: int) -> Transfer:
        transfer = self._inner.transfer(src, dst, nbytes)
        self._watch.begin(transfer, nbytes)
        return transfer

    def stalled(self) -> Sequence[Transfer]:
        return self._inner.stalled()

    def link_use(self) -> Sequence[LinkUse]:
        return self._inner.link_use()

    def handovers(self) -> Sequence[Handover]:
        return self._inner.handovers()

    def heed(self, next_s: Callable[[], float]) -> None:
        self._inner.heed(next_s)

    def sightings(self, times_s: Sequence[float]) -> Sequence[Sighting]:
        return self._inner.sightings(times_s)
