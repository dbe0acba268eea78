"""The simulated player: effects take simulated time on a network and on hosts that do one thing at a time.

The one place that sees both SimPy and learning, and it sees learning only as jobs to be called. Host time
never enters: a job takes as long as its FLOPs say, however long it takes here.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import simpy

from slfac_sim.effects import MISSED, Compute, Effect, Failed, Note, Offer, Send, Task, Together
from slfac_sim.ledger import Ledger
from slfac_sim.network import Delivery, Lost, Network

Steps = Generator[simpy.Event, Any, Any]


class Stalled(RuntimeError):
    """Events have run out and the protocol is unfinished; the message names what it waits for."""


@dataclass(frozen=True)
class Place:
    """Where an effect stands: its task's path from the root, and its number within the task."""

    task: str
    seq: int


@dataclass(frozen=True)
class _Waiting:
    place: Place
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
        ledger: Ledger,
        on_note: Callable[[str, Mapping[str, Any]], None] = lambda table, row: None,
    ) -> None:
        self._env = env
        self._network = network
        self._speeds = speeds
        self._ledger = ledger
        self._on_note = on_note
        self._hosts = {host: simpy.Resource(env) for host in speeds}
        self._queues: dict[tuple[str, str], list[_Waiting]] = {}

    def play(self, protocol: Task) -> Any:
        """Run `protocol` to its end and return its result.

        Raises `Stalled` when nothing can happen any more and it has not ended.
        """
        process = self._env.process(self._run(protocol, ""))
        try:
            return self._env.run(until=process)
        except RuntimeError as error:
            if process.triggered:
                raise
            raise Stalled(self._why_stalled()) from error

    def _run(self, task: Task, path: str) -> Steps:
        """Drive one task: perform what it yields, send it what came of it."""
        advance, seq = _sender(task, None), 0
        try:
            while True:
                try:
                    effect = advance()
                except StopIteration as stop:
                    return stop.value
                try:
                    reply = yield from self._perform(effect, Place(path, seq))
                    advance = _sender(task, reply)
                except Lost as lost:
                    advance = _thrower(task, lost)
                seq += 1
        finally:
            task.close()

    def _perform(self, effect: Effect, place: Place) -> Steps:
        match effect:
            case Compute():
                return (yield from self._compute(effect, place))
            case Send():
                return (yield from self._send(effect, place))
            case Together():
                return (yield from self._together(effect, place))
            case Offer():
                return (yield from self._offer(effect, place))
            case Note():
                return self._note(effect, place)

    def _compute(self, effect: Compute, place: Place) -> Steps:
        times = dict.fromkeys(("asked_s", "start_s", "end_s"), self._env.now)
        try:
            with self._hosts[effect.host].request() as turn:
                yield turn
                times["start_s"] = self._env.now
                yield self._env.timeout(effect.flops / self._speeds[effect.host])
        except simpy.Interrupt:
            self._write_compute(effect, place, times, "interrupted")
            raise
        self._write_compute(effect, place, times, "done")
        return effect.job()

    def _write_compute(self, effect: Compute, place: Place, times: dict[str, float], outcome: str) -> None:
        work = {"host": effect.host, "what": effect.what, "flops": effect.flops}
        times["end_s"] = self._env.now
        self._ledger.add("computes", {**asdict(place), **work, **times, "outcome": outcome})

    def _send(self, effect: Send, place: Place) -> Steps:
        nbytes = sum(parcel.nbytes for parcel in effect.payloads.values())
        transfer = self._network.transfer(effect.src, effect.dst, nbytes)
        try:
            delivery: Delivery = yield transfer
        except Lost as lost:
            self._write_transfer(effect, place, lost.delivery, "lost")
            raise
        except simpy.Interrupt:
            self._write_transfer(effect, place, transfer.cancel(), "cancelled")
            raise
        self._write_transfer(effect, place, delivery, "delivered")
        return delivery

    def _write_transfer(self, effect: Send, place: Place, delivery: Delivery, outcome: str) -> None:
        row = asdict(delivery)
        del row["delivered"]
        number = self._ledger.add("transfers", {**asdict(place), **row, "outcome": outcome})
        for kind, parcel in effect.payloads.items():
            figures = {"bytes": parcel.nbytes, "value_count": parcel.values, "sha256": parcel.sha256}
            self._ledger.add("payloads", {"transfer": number, "kind": kind, **figures})
        if outcome == "delivered":
            self._ledger.delivered_bytes += delivery.payload_bytes

    def _together(self, effect: Together, place: Place) -> Steps:
        prefix = f"{place.task}/{place.seq}." if place.task else f"{place.seq}."
        children = [
            self._env.process(self._child(task, f"{prefix}{number}"))
            for number, task in enumerate(effect.tasks)
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

    def _offer(self, effect: Offer, place: Place) -> Steps:
        waiting = _Waiting(place, effect, self._env.now, self._env.event())
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
        answers = yield from self._compute(job, Place(f"queue {first.queue}", 0))
        for waiting, answer in zip(batch, answers, strict=True):
            self._write_offer(waiting)
            waiting.answer.succeed(answer)

    def _write_offer(self, waiting: _Waiting) -> None:
        offer = waiting.offer
        names = ("host", "queue", "place", "what", "flops", "max_items")
        figures = {name: getattr(offer, name) for name in names}
        times = {"asked_s": waiting.asked_s, "end_s": self._env.now}
        self._ledger.add("offers", {**asdict(waiting.place), **figures, **times})

    def _note(self, effect: Note, place: Place) -> None:
        row = {**asdict(place), "at_s": self._env.now, **effect.row}
        if effect.table == "evals":
            row["payload_bytes"] = self._ledger.delivered_bytes
        self._ledger.add(effect.table, row)
        if effect.table == "rounds":
            self._ledger.commit()
        self._on_note(effect.table, row)

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


def _sender(task: Task, reply: Any) -> Callable[[], Effect]:
    return lambda: task.send(reply)


def _thrower(task: Task, error: Exception) -> Callable[[], Effect]:
    return lambda: task.throw(error)


def _interrupt(children: Sequence[simpy.Process]) -> None:
    for child in children:
        if child.is_alive:
            child.interrupt()
