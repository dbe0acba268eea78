"""The simulated player: effects take simulated time on a network and on hosts that may come and go.

With its parts (`processors`, `transmissions`, `queues`, `outages`) the one place that sees both SimPy and
learning, and it sees learning only as jobs to be called. Host time never enters: a job takes as long as its
FLOPs say, however long it takes here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Any

import simpy

from slfac_sim.effects import (
    MISSED,
    Compute,
    Excuse,
    Failed,
    Failure,
    Note,
    Offer,
    Over,
    Present,
    Send,
    Task,
    Together,
)
from slfac_sim.hosts.availability import Outage
from slfac_sim.hosts.slowdowns import Factor
from slfac_sim.ledger.store import Ledger
from slfac_sim.network import Network
from slfac_sim.simulation.clock import CUT_OFF, GO_DOWN, Steps, end_of_instant
from slfac_sim.simulation.energy import Energy, Meter
from slfac_sim.simulation.outages import Outages
from slfac_sim.simulation.processors import Discipline, Processors, Speeds
from slfac_sim.simulation.queues import Queues
from slfac_sim.simulation.transmissions import Transmissions


class Stalled(RuntimeError):
    """The protocol is unfinished and cannot go on; the message says why, or names what it waits for."""


class SimulatedPlayer:
    """Performs a protocol on the clock of `env`.

    `speeds` gives each host's FLOP/s, `ledger` takes the rows, `on_note` is told of each note after it was
    written (for a progress display), of an evaluation with its `counts`. By host, where wanted:
    `codec_speeds` are its FLOP/s in codec work (otherwise those of `speeds`), `availability` its outages,
    `slowdown` the factor on its durations, `disciplines` how its processor is shared. `energy` is told what
    hosts did.
    """

    def __init__(
        self,
        env: simpy.Environment,
        network: Network,
        speeds: Mapping[str, float],
        ledger: Ledger,
        on_note: Callable[[str, Mapping[str, Any]], None] = lambda table, row: None,
        *,
        codec_speeds: Mapping[str, float] | None = None,
        availability: Mapping[str, Iterator[Outage]] | None = None,
        slowdown: Mapping[str, Factor] | None = None,
        disciplines: Mapping[str, Discipline] | None = None,
        energy: Energy | None = None,
    ) -> None:
        self._env = env
        self._network = network
        self._ledger = ledger
        self._on_note = on_note
        meter = self._meter = None if energy is None else Meter(env, energy, self._end_of)
        outages = self._outages = Outages(env, availability or {}, ledger, self._went_down, self._came_up)
        paces = Speeds(speeds, speeds if codec_speeds is None else codec_speeds)
        self._processors = Processors(env, paces, slowdown or {}, disciplines or {}, ledger, outages, meter)
        self._transmissions = Transmissions(env, network, ledger, outages, meter)
        self._queues = Queues(env, ledger, outages, self._processors.compute)
        self._perform: dict[type, Callable[[Any, str, int], Steps]] = {
            Send: self._transmissions.send,
            Together: self._together,
            Offer: self._queues.offer,
            Present: self._present,
        }
        self._perform_at_once: dict[type, Callable[[Any, str, int], None]] = {
            Excuse: self._queues.excuse,
            Note: self._note,
        }

    def play(self, protocol: Task) -> Any:
        """Run `protocol` to its end and return its result, None if it is `Over`.

        Raises `Stalled` when nothing can happen any more and it has not ended, or when it has ended with a
        `Failure`. Outages that are still to come keep nothing alive.
        """
        self._outages.begin()
        process = self._env.process(self._run(protocol, ""))
        try:
            self._let_happen(process)
        except simpy.core.EmptySchedule:
            raise Stalled(self._why_stalled()) from None
        except Over:
            return None
        except Failure as failure:
            when = f"after {self._env.now:.6g} s the protocol cannot go on"
            raise Stalled(f"{when}: {failure.reason}") from None
        finally:
            self._outages.close()
            self._transmissions.close_round()
        return process.value

    def under_way(self) -> Iterator[str]:
        """Yield, in words, all work that is not over: in flight, in service, queued or waited for."""
        for part in (self._transmissions, self._processors, self._queues, self._outages):
            yield from part.under_way()

    def _let_happen(self, process: simpy.Process) -> None:
        """Let one thing after the other happen until `process` has ended, an outage after all else.

        Raises `EmptySchedule` when nothing is left but outages that would end nobody's waiting.
        """
        env, outages, step = self._env, self._outages, self._env.step
        planned = outages.next_s < inf  # where there is none now, there never will be
        if planned:
            self._network.heed(lambda: outages.next_s)
        while process.callbacks is not None:  # until it is processed
            if planned and outages.next_s < env.peek() and (env.peek() < inf or self._awaits_outage()):
                outages.put_next_on_calendar()
            step()

    def _awaits_outage(self) -> bool:
        return self._outages.waited_for or self._transmissions.can_fail() or self._queues.can_fail()

    def _run(self, task: Task, path: str) -> Steps:
        """Drive one task: perform what it yields, send it what came of it."""
        perform, at_once, processors, seq = self._perform, self._perform_at_once, self._processors, 0
        go_on: Callable[[Any], Any] = task.send
        answer: Any = None
        try:
            while True:
                try:
                    effect = go_on(answer)
                except StopIteration as stop:
                    return stop.value
                kind = type(effect)
                try:
                    if kind is Compute:  # most effects are: this is `processors.compute` without a generator
                        turn = processors.ask(effect, path, seq)
                        try:
                            yield turn
                        except simpy.Interrupt as stop:
                            raise processors.give_up(effect, path, seq, turn, stop) from None
                        answer = processors.done(effect, path, seq, turn)
                    elif kind in at_once:
                        answer = at_once[kind](effect, path, seq)
                    else:
                        answer = yield from perform[kind](effect, path, seq)
                    go_on = task.send
                except Failure as failure:
                    answer, go_on = failure, task.throw
                seq += 1
        finally:
            task.close()

    def _together(self, effect: Together, task: str, seq: int) -> Steps:
        if effect.deadline_s is not None or effect.enough is not None:
            limits = (len(effect.tasks), effect.deadline_s, effect.enough)
            self._ledger.append("limits", (task, seq, self._env.now, *limits))
        prefix = f"{task}/{seq}." if task else f"{seq}."
        children = [
            self._env.process(self._child(child, f"{prefix}{place}"))
            for place, child in enumerate(effect.tasks)
        ]
        try:
            yield self._until(children, effect)
            if any(child.is_alive for child in children):
                yield end_of_instant(self._env, CUT_OFF)  # what ends at the instant of the limit has ended
        finally:
            _interrupt(children)
        yield simpy.AllOf(self._env, children)
        return [child.value for child in children]

    def _until(self, children: Sequence[simpy.Process], effect: Together) -> simpy.Event:
        wanted = len(children) if effect.enough is None else min(effect.enough, len(children))

        def met(events: Sequence[simpy.Event], ended: int) -> bool:
            return ended == len(events) or (ended >= wanted and _ended_well(events) >= wanted)

        ended = simpy.events.Condition(self._env, met, children)
        if effect.deadline_s is None:
            return ended
        return ended | self._env.timeout(effect.deadline_s)

    def _child(self, task: Task, path: str) -> Steps:
        try:
            return (yield from self._run(task, path))
        except simpy.Interrupt:
            return MISSED
        except Failure as failure:
            return Failed(failure.reason)

    def _present(self, effect: Present, task: str, seq: int) -> Steps:
        """Return who is up, after a wait perhaps; nobody if none ever will be again."""
        outages = self._outages
        while not (there := outages.present(effect.hosts)) and effect.wait:
            came_up = outages.wait(effect.hosts)
            if came_up is None:
                break
            try:
                yield came_up
            except simpy.Interrupt:
                outages.forget(came_up)
                raise
        return there

    def _note(self, effect: Note, task: str, seq: int) -> None:
        row = {"task": task, "seq": seq, "at_s": self._env.now, **effect.row}
        if effect.table == "evals":
            row["payload_bytes"] = self._ledger.delivered_bytes
            for name, counts in row.pop("counts", {}).items():  # a record has them elsewhere, for every clock
                for values in counts:
                    self._ledger.append(name, (effect.row["round"], *values))
        self._ledger.add(effect.table, row)
        if effect.table == "evals" and self._meter is not None:
            self._ledger.add("spent", self._meter.spent(effect.row["round"]))
        if effect.table == "rounds":
            self._transmissions.close_round(effect.row["round"])
            self._ledger.commit()
        self._on_note(effect.table, {**effect.row, **row})

    def _end_of(self, host: str, reason: str) -> None:
        """Take `host` down for good at the end of this instant."""
        at_the_end = end_of_instant(self._env, GO_DOWN)
        assert at_the_end.callbacks is not None
        at_the_end.callbacks.append(lambda _: self._outages.end(host, reason))

    def _went_down(self, host: str) -> None:
        if self._meter is not None:
            self._meter.down(host)
        failure = self._outages.failure(host)
        self._processors.fail(host, failure)
        self._transmissions.fail(host, failure)
        self._queues.fail(host, failure)

    def _came_up(self, host: str) -> None:
        if self._meter is not None:
            self._meter.up(host)

    def _why_stalled(self) -> str:
        what = "; ".join(self.under_way()) or "nothing that the network or a queue knows of"
        when = f"nothing can happen after {self._env.now:.6g} s, but the protocol is unfinished"
        return f"{when}; stalled: {what}"


def _interrupt(children: Sequence[simpy.Process]) -> None:
    for child in children:
        if child.is_alive:
            child.interrupt()


def _ended_well(children: Sequence[simpy.Event]) -> int:
    return sum(child.processed and not isinstance(child.value, Failed) for child in children)
