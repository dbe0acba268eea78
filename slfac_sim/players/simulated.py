"""The simulated player: effects take simulated time on a network and on hosts that do one thing at a time.

The one place that sees both SimPy and learning, and it sees learning only as jobs to be called. Host time
never enters: a job takes as long as its FLOPs say, however long it takes here.
"""

import dataclasses
from collections.abc import Callable, Generator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import simpy

from slfac_sim.effects import MISSED, Compute, Failed, Note, Offer, Send, Task, Together
from slfac_sim.ledger import TABLES, Book
from slfac_sim.network import Delivery, Lost, Network
from slfac_sim.players.hosts import Host, Turn
from slfac_sim.players.tally import Tally

Steps = Generator[simpy.Event, Any, Any]

_DELIVERY = tuple(field.name for field in dataclasses.fields(Delivery) if field.name in TABLES["transfers"])
_figures_of = attrgetter(*_DELIVERY)  # in the order of the table's columns, after `task` and `seq`


class Stalled(RuntimeError):
    """Events have run out and the protocol is unfinished; the message names what it waits for."""


@dataclasses.dataclass(frozen=True)
class _Waiting:
    task: str
    seq: int
    offer: Offer
    asked_s: float
    answer: simpy.Event


class SimulatedPlayer:
    """Performs a protocol on the clock of `env`.

    `speeds` gives each host's FLOP/s, `ledger` takes the rows, `on_note` is told of each note after it was
    written (for a progress display).
    """

    def __init__(
        self,
        env: simpy.Environment,
        network: Network,
        speeds: Mapping[str, float],
        ledger: Book,
        on_note: Callable[[str, Mapping[str, Any]], None] = lambda table, row: None,
    ) -> None:
        self._env = env
        self._network = network
        self._ledger = ledger
        self._on_note = on_note
        self._tally = Tally()
        self._hosts = {name: Host(env, flops_per_s) for name, flops_per_s in speeds.items()}
        self._queues: dict[tuple[str, str], list[_Waiting]] = {}
        self._perform: dict[type, Callable[[Any, str, int], Steps]] = {
            Compute: self._compute,
            Send: self._send,
            Together: self._together,
            Offer: self._offer,
            Note: self._note,
        }

    def play(self, protocol: Task) -> Any:
        """Run `protocol` to its end and return its result.

        Raises `Stalled` when nothing can happen any more and it has not ended.
        """
        process = self._env.process(self._run(protocol, ""))
        step = self._env.step
        try:
            while not process.processed:
                step()
        except simpy.core.EmptySchedule:
            raise Stalled(self._why_stalled()) from None
        finally:
            self._tally.close_round(self._ledger)
        return process.value

    def _run(self, task: Task, path: str) -> Steps:
        """Drive one task: perform what it yields, send it what came of it."""
        perform, answer, seq = self._perform, None, 0
        go_on: Callable[[Any], Any] = task.send
        try:
            while True:
                try:
                    effect = go_on(answer)
                except StopIteration as stop:
                    return stop.value
                try:
                    answer = yield from perform[type(effect)](effect, path, seq)
                    go_on = task.send
                except Lost as lost:
                    answer, go_on = lost, task.throw
                seq += 1
        finally:
            task.close()

    def _compute(self, effect: Compute, task: str, seq: int) -> Steps:
        host = self._hosts[effect.host]
        turn = host.ask(effect.flops)
        try:
            yield turn
        except simpy.Interrupt:
            host.give_up(turn)
            self._write_compute(effect, task, seq, turn, "interrupted")
            raise
        self._write_compute(effect, task, seq, turn, "done")
        return effect.job()

    def _write_compute(self, effect: Compute, task: str, seq: int, turn: Turn, outcome: str) -> None:
        work = (task, seq, effect.host, effect.what, effect.flops)
        self._ledger.append("computes", (*work, turn.asked_s, turn.start_s, self._env.now, outcome))

    def _send(self, effect: Send, task: str, seq: int) -> Steps:
        nbytes = sum([parcel.nbytes for parcel in effect.payloads.values()])
        transfer = self._network.transfer(effect.src, effect.dst, nbytes)
        try:
            delivery: Delivery = yield transfer
        except Lost as lost:
            self._write_transfer(effect, task, seq, lost.delivery, "lost")
            raise
        except simpy.Interrupt:
            arrived = transfer.value if transfer.triggered else None  # at this very instant
            outcome = "cancelled" if arrived is None else "delivered"
            self._write_transfer(effect, task, seq, arrived or transfer.cancel(), outcome)
            raise
        self._write_transfer(effect, task, seq, delivery, "delivered")
        return delivery

    def _write_transfer(self, effect: Send, task: str, seq: int, delivery: Delivery, outcome: str) -> None:
        number = self._ledger.append("transfers", (task, seq, *_figures_of(delivery), outcome))
        for kind, parcel in effect.payloads.items():
            self._ledger.append("payloads", (number, kind, parcel.nbytes, parcel.values, parcel.sha256))
        self._tally.count(effect.payloads)
        if outcome == "delivered":
            self._ledger.delivered_bytes += delivery.payload_bytes

    def _together(self, effect: Together, task: str, seq: int) -> Steps:
        if effect.deadline_s is not None or effect.enough is not None:
            limits = (len(effect.tasks), effect.deadline_s, effect.enough)
            self._ledger.append("limits", (task, seq, self._env.now, *limits))
        prefix = f"{task}/{seq}." if task else f"{seq}."
        children = [
            self._env.process(self._child(child, f"{prefix}{number}"))
            for number, child in enumerate(effect.tasks)
        ]
        try:
            yield self._until(children, effect)
        finally:
            _interrupt(children)
        yield simpy.AllOf(self._env, children)
        return [child.value for child in children]

    def _until(self, children: Sequence[simpy.Process], effect: Together) -> simpy.Event:
        wanted = len(children) if effect.enough is None else min(effect.enough, len(children))
        met = simpy.events.Condition(self._env, lambda events, count: count >= wanted, children)
        if effect.deadline_s is None:
            return met
        return met | self._env.timeout(effect.deadline_s)

    def _child(self, task: Task, path: str) -> Steps:
        try:
            return (yield from self._run(task, path))
        except simpy.Interrupt:
            return MISSED
        except Lost as lost:
            return Failed(str(lost))

    def _offer(self, effect: Offer, task: str, seq: int) -> Steps:
        waiting = _Waiting(task, seq, effect, self._env.now, self._env.event())
        queue = self._queues.setdefault((effect.host, effect.queue), [])
        queue.append(waiting)
        if len(queue) == effect.max_items:
            batch = self._queues.pop((effect.host, effect.queue))
            self._env.process(self._serve(sorted(batch, key=lambda one: one.offer.place)))
        try:
            return (yield waiting.answer)
        except simpy.Interrupt:
            if waiting in queue:
                queue.remove(waiting)
            raise

    def _serve(self, batch: list[_Waiting]) -> Steps:
        """Keep the host busy for the whole batch, then answer each offer, in the order of the places."""
        first = batch[0].offer
        flops = sum(waiting.offer.flops for waiting in batch)
        items = [waiting.offer.item for waiting in batch]
        job = Compute(first.host, flops, lambda: first.serve(items), first.what)
        answers = yield from self._compute(job, f"queue {first.queue}", 0)
        for waiting, answer in zip(batch, answers, strict=True):
            self._write_offer(waiting)
            waiting.answer.succeed(answer)

    def _write_offer(self, waiting: _Waiting) -> None:
        offer = waiting.offer
        work = (offer.host, offer.queue, offer.place, offer.what, offer.flops, offer.max_items)
        self._ledger.append("offers", (waiting.task, waiting.seq, *work, waiting.asked_s, self._env.now))

    def _note(self, effect: Note, task: str, seq: int) -> Steps:
        row = {"task": task, "seq": seq, "at_s": self._env.now, **effect.row}
        if effect.table == "evals":
            row["payload_bytes"] = self._ledger.delivered_bytes
        self._ledger.add(effect.table, row)
        if effect.table == "rounds":
            self._tally.close_round(self._ledger, effect.row["round"])
            self._ledger.commit()
        self._on_note(effect.table, row)
        yield from ()  # takes no time

    def _why_stalled(self) -> str:
        transfers = [
            f"{one.src} -> {one.dst} ({one.payload_bytes} bytes since {one.asked_s:.6g} s)"
            for one in self._network.stalled()
        ]
        offers = [
            f"queue {queue} of {host} ({len(waiting)} of {waiting[0].offer.max_items} offers)"
            for (host, queue), waiting in self._queues.items()
            if waiting
        ]
        what = "; ".join(transfers + offers) or "nothing that the network or a queue knows of"
        when = f"nothing can happen after {self._env.now:.6g} s, but the protocol is unfinished"
        return f"{when}; stalled: {what}"


def _interrupt(children: Sequence[simpy.Process]) -> None:
    for child in children:
        if child.is_alive:
            child.interrupt()
