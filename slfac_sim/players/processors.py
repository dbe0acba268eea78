"""Computing on the simulated clock: what is asked of hosts, and a row for each of it. It knows no network."""

from collections.abc import Generator, Mapping
from typing import Any, Literal

import simpy

from slfac_sim.effects import Compute, HostDown
from slfac_sim.ledger import Book
from slfac_sim.players.hosts import Host, Slowness, Turn
from slfac_sim.players.metering import Meter
from slfac_sim.players.outages import Outages, cause_of
from slfac_sim.players.sharing import SharedHost

Steps = Generator[simpy.Event, Any, Any]
Discipline = Literal["fifo", "sharing"]

_KINDS: dict[Discipline, type[Host] | type[SharedHost]] = {"fifo": Host, "sharing": SharedHost}


class Processors:
    """One processor for each host in `speeds` (FLOP/s).

    `meter`, if there is one, is told, after each compute that had begun, how long its host has worked on it.
    """

    def __init__(
        self,
        env: simpy.Environment,
        speeds: Mapping[str, float],
        slowness: Mapping[str, Slowness],
        disciplines: Mapping[str, Discipline],
        ledger: Book,
        outages: Outages,
        meter: Meter | None,
    ) -> None:
        self._env = env
        self._ledger = ledger
        self._outages = outages
        self._meter = meter
        self._hosts = {
            name: _KINDS[disciplines.get(name, "fifo")](env, flops_per_s, slowness.get(name))
            for name, flops_per_s in speeds.items()
        }

    def compute(self, effect: Compute, task: str, seq: int) -> Steps:
        """Keep the host busy, then run the job and return its result. Raises `HostDown`."""
        try:
            self._outages.check(effect.host)
        except HostDown:
            self._write(effect, task, seq, self._env.now, self._env.now, "down")
            raise
        host = self._hosts[effect.host]
        turn = host.ask(effect.flops)
        try:
            yield turn
        except simpy.Interrupt as stop:
            host.give_up(turn)
            cause = cause_of(stop)
            self._end(effect, task, seq, turn, "interrupted" if cause is stop else "down")
            raise cause from None
        self._end(effect, task, seq, turn, "done")
        return effect.job()

    def fail(self, host: str, failure: HostDown) -> None:
        """Raise `failure` into everything that `host` works on or is to work on."""
        for turn in self._hosts[host].turns:
            if turn.asker is not None:
                turn.asker.interrupt(failure)

    def _end(self, effect: Compute, task: str, seq: int, turn: Turn, outcome: str) -> None:
        self._write(effect, task, seq, turn.asked_s, turn.start_s, outcome)
        if self._meter is not None and turn.begun:
            self._meter.computed(effect.host, effect.what, turn.worked_s)

    def _write(
        self, effect: Compute, task: str, seq: int, asked_s: float, start_s: float, outcome: str
    ) -> None:
        work = (task, seq, effect.host, effect.what, effect.flops)
        self._ledger.append("computes", (*work, asked_s, start_s, self._env.now, outcome))
