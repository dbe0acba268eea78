"""Computing on the simulated clock: what is asked of hosts, and a row for each of it. It knows no network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import simpy

from slfac_sim.effects import CODEC_WORK, Compute, HostDown
from slfac_sim.hosts.slowdowns import Factor
from slfac_sim.ledger.store import Ledger
from slfac_sim.simulation.clock import Steps
from slfac_sim.simulation.energy import Meter
from slfac_sim.simulation.hosts import Host, SharedHost, Turn
from slfac_sim.simulation.outages import Outages, cause_of

Discipline = Literal["fifo", "sharing"]

_KINDS: dict[Discipline, type[Host] | type[SharedHost]] = {"fifo": Host, "sharing": SharedHost}


@dataclass(frozen=True)
class Speeds:
    """FLOP/s of each host, in `training` (and everything else) and in the work of a `codec`."""

    training: Mapping[str, float]
    codec: Mapping[str, float]

    def duration_s(self, effect: Compute) -> float:
        """Return how long `effect` keeps its host busy, if that is not slowed down."""
        speeds = self.codec if effect.what in CODEC_WORK else self.training
        return effect.flops / speeds[effect.host]


class Processors:
    """One processor for each host in `speeds`.

    `meter`, if there is one, is told, after each compute that had begun, how long its host has worked on it.
    """

    def __init__(
        self,
        env: simpy.Environment,
        speeds: Speeds,
        slowdowns: Mapping[str, Factor],
        disciplines: Mapping[str, Discipline],
        ledger: Ledger,
        outages: Outages,
        meter: Meter | None,
    ) -> None:
        self._env = env
        self._append = ledger.append
        self._outages = outages
        self._meter = meter
        self._duration_s = speeds.duration_s
        self._hosts = {
            name: _KINDS[disciplines.get(name, "fifo")](env, slowdowns.get(name)) for name in speeds.training
        }

    def compute(self, effect: Compute, task: str, seq: int) -> Steps:
        """Keep the host busy, then run the job and return its result. Raises `HostDown`."""
        turn = self.ask(effect, task, seq)
        try:
            yield turn
        except simpy.Interrupt as stop:
            raise self.give_up(effect, task, seq, turn, stop) from None
        return self.done(effect, task, seq, turn)

    def ask(self, effect: Compute, task: str, seq: int) -> Turn:
        """Return the stretch of the host's time that `effect` takes. Raises `HostDown`."""
        host = effect.host
        if host in self._outages.down:
            now_s = self._env.now
            self._append(
                "computes", (task, seq, host, effect.what, effect.flops, now_s, now_s, now_s, "down")
            )
            raise self._outages.failure(host)
        return self._hosts[host].ask(self._duration_s(effect))

    def done(self, effect: Compute, task: str, seq: int, turn: Turn) -> Any:
        """Run the job of `effect`, whose stretch of time is over, and return its result."""
        self._write(effect, task, seq, turn, "done")
        return effect.job()

    def give_up(self, effect: Compute, task: str, seq: int, turn: Turn, stop: simpy.Interrupt) -> Exception:
        """Do without `turn`, which `stop` broke off, and return what to raise for that."""
        self._hosts[effect.host].give_up(turn)
        cause = cause_of(stop)
        self._write(effect, task, seq, turn, "interrupted" if cause is stop else "down")
        return cause

    def fail(self, host: str, failure: HostDown) -> None:
        """Raise `failure` into everything that `host` works on or is to work on."""
        for turn in self._hosts[host].turns:
            if turn.asker is not None:
                turn.asker.interrupt(failure)

    def under_way(self) -> Iterator[str]:
        """Yield, in words, every host that works on something or is to."""
        for name, host in self._hosts.items():
            if host.turns:
                yield f"{name} computes ({len(host.turns)} asked for)"

    def _write(self, effect: Compute, task: str, seq: int, turn: Turn, outcome: str) -> None:
        host, what, now_s = effect.host, effect.what, self._env.now
        work = (task, seq, host, what, effect.flops, turn.asked_s, turn.start_s, now_s, outcome)
        self._append("computes", work)
        if turn.begun and self._meter is not None:
            self._meter.computed(host, what, turn.worked_s)
