"""Batching queues on the simulated clock: offers that wait for each other and are served at once.

They know no network, and of a host only that it can be asked to compute and may be down.
"""

import dataclasses
from collections.abc import Callable, Iterator
from operator import attrgetter

import simpy

from slfac_sim.effects import Compute, Excuse, HostDown, Offer
from slfac_sim.ledger.store import Ledger
from slfac_sim.simulation.clock import Call, Steps
from slfac_sim.simulation.outages import Outages

_place_of = attrgetter("offer.place")


@dataclasses.dataclass(eq=False, slots=True)
class _Waiting:
    task: str
    seq: int
    offer: Offer
    asked_s: float
    answer: simpy.Event


@dataclasses.dataclass(eq=False)
class _Queue:
    """Offers for the next batch; `excused` counts those that will not come.

    `due`, if it is there, is when it is served with those that have come.
    """

    waiting: list[_Waiting] = dataclasses.field(default_factory=list)
    excused: int = 0
    due: simpy.Event | None = None


@dataclasses.dataclass(eq=False)
class _Batch:
    """Offers that are served at once, in the order of their places; `awaited` are those still waited for."""

    offers: list[_Waiting]
    awaited: dict[_Waiting, None]
    service: simpy.Process | None = None

    def leave(self, waiting: _Waiting) -> None:
        """Wait no longer for the answer to `waiting`; what nobody waits for is broken off."""
        del self.awaited[waiting]
        if not self.awaited:
            assert self.service is not None
            self.service.interrupt()


class Queues:
    """The queues of all hosts; `compute` keeps a host busy with a batch.

    A batch is one piece of work: it goes on with all its items while one of its offers is waited for, and
    is broken off, unserved, at the instant at which none is any more.
    """

    def __init__(
        self,
        env: simpy.Environment,
        ledger: Ledger,
        outages: Outages,
        compute: Callable[[Compute, str, int], Steps],
    ) -> None:
        self._env = env
        self._ledger = ledger
        self._outages = outages
        self._compute = compute
        self._queues: dict[tuple[str, str], _Queue] = {}
        self._in_service: dict[_Waiting, _Batch] = {}

    def offer(self, effect: Offer, task: str, seq: int) -> Steps:
        """Wait for the others and for the batch, and return the item's result. Raises `HostDown`."""
        waiting = _Waiting(task, seq, effect, self._env.now, self._env.event())
        try:
            self._outages.check(effect.host)
            self._join(waiting)
            return (yield waiting.answer)
        except (simpy.Interrupt, HostDown) as stop:
            self._withdraw(waiting, "down" if isinstance(stop, HostDown) else "interrupted")
            raise

    def excuse(self, effect: Excuse, task: str, seq: int) -> None:
        """Let the next batch of the queue do with one item less."""
        key = (effect.host, effect.queue)
        queue = self._queues.setdefault(key, _Queue())
        queue.excused += 1
        if queue.waiting:
            self._serve_if_complete(key, queue)

    def fail(self, host: str, failure: HostDown) -> None:
        """Raise `failure` into every offer that waits in a queue of `host`; who is excused remains so."""
        for (of, _), queue in self._queues.items():
            if of == host:
                for waiting in queue.waiting:
                    waiting.answer.fail(failure)
                queue.waiting = []

    def can_fail(self) -> bool:
        """Return whether an outage that is still to come would end an offer's waiting."""
        comes = self._outages.will_go_down
        return any(queue.waiting and comes(host) for (host, _), queue in self._queues.items())

    def under_way(self) -> Iterator[str]:
        """Yield, in words, every batch that is being served and every queue in which offers wait."""
        for batch in dict.fromkeys(self._in_service.values()):
            first = batch.offers[0].offer
            yield f"a batch of queue {first.queue} of {first.host} ({len(batch.offers)} offers)"
        for (host, name), queue in self._queues.items():
            if queue.waiting:
                wanted = queue.waiting[0].offer.max_items - queue.excused
                yield f"queue {name} of {host} ({len(queue.waiting)} of {wanted} offers)"

    def _join(self, waiting: _Waiting) -> None:
        offer = waiting.offer
        key = (offer.host, offer.queue)
        queue = self._queues.setdefault(key, _Queue())
        if not queue.waiting and offer.wait_s is not None:
            queue.due = Call(self._env, lambda due: self._serve_late(key, queue, due), offer.wait_s)
        queue.waiting.append(waiting)
        self._serve_if_complete(key, queue)

    def _serve_if_complete(self, key: tuple[str, str], queue: _Queue) -> None:
        if len(queue.waiting) + queue.excused >= queue.waiting[0].offer.max_items:
            self._serve_now(key, queue)

    def _serve_late(self, key: tuple[str, str], queue: _Queue, due: simpy.Event) -> None:
        if due is queue.due and queue.waiting and self._queues.get(key) is queue:
            self._serve_now(key, queue)

    def _serve_now(self, key: tuple[str, str], queue: _Queue) -> None:
        del self._queues[key]
        batch = _Batch(sorted(queue.waiting, key=_place_of), dict.fromkeys(queue.waiting))
        self._in_service |= dict.fromkeys(batch.offers, batch)
        batch.service = self._env.process(self._serve(batch))

    def _withdraw(self, waiting: _Waiting, outcome: str) -> None:
        offer = waiting.offer
        queue = self._queues.get((offer.host, offer.queue))
        if waiting in self._in_service:
            self._in_service[waiting].leave(waiting)
        elif queue is not None and waiting in queue.waiting:
            queue.waiting.remove(waiting)
        place = (waiting.task, waiting.seq, offer.host, offer.queue)
        self._ledger.append("withdrawals", (*place, waiting.asked_s, self._env.now, outcome))

    def _serve(self, batch: _Batch) -> Steps:
        """Keep the host busy for the whole batch, then answer each offer, in the order of the places."""
        first = batch.offers[0].offer
        flops = sum(waiting.offer.flops for waiting in batch.offers)
        items = [waiting.offer.item for waiting in batch.offers]
        job = Compute(first.host, flops, lambda: first.serve(items), first.what)
        try:
            answers = yield from self._compute(job, f"queue {first.queue}", 0)
        except simpy.Interrupt:
            return  # nobody waits for it any more
        except HostDown as failure:
            for waiting in batch.awaited:
                waiting.answer.fail(failure)
            return
        finally:
            for waiting in batch.offers:
                del self._in_service[waiting]
        for waiting, answer in zip(batch.offers, answers, strict=True):
            if waiting in batch.awaited:
                self._write_offer(waiting)
                waiting.answer.succeed(answer)

    def _write_offer(self, waiting: _Waiting) -> None:
        offer = waiting.offer
        work = (offer.host, offer.queue, offer.place, offer.what, offer.flops, offer.max_items)
        self._ledger.append("offers", (waiting.task, waiting.seq, *work, waiting.asked_s, self._env.now))
