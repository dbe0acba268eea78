"""The replay: a recorded run as a protocol again, so that another network or other speeds can time it.

It reads what learning did (bytes, work, order, figures) from a ledger and needs neither a model nor torch.
It is exact where timing does not steer learning, which holds for protocols without deadlines.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from slfac_sim.effects import Compute, Effect, Note, Offer, Send, Task, Together
from slfac_sim.ledger import PLACE, TABLES, Row, tuples_of
from slfac_sim.ledger_tables import SUMS

_NOTES = ("steps", "rounds", "evals")
_STAMPED = ("task", "seq", "at_s", "payload_bytes")  # the player's part of a note's row


Step = Effect | tuple[str, ...]  # a tuple: the tasks that were started together


class TimingSteered(ValueError):
    """The record holds work that timing cut short or could have: no other clock could be right."""


class RecordedParcel(NamedTuple):
    """What is known of a body that was sent once: its length, its count of values, its fingerprint.

    Its parts and notes are in the sums of the record (`Script.sums`).
    """

    nbytes: int
    values: int
    sha256: str
    parts: None = None
    notes: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Script:
    """What every task yielded, in order: effects, and for a `Together` the names of its tasks.

    The root's name is empty. `counts` are the numbers of transfers, rounds and device steps. `sums` are the
    rows of the tables that hold for every clock, as they stand; none in records of earlier versions.
    """

    tasks: Mapping[str, Sequence[Step]]
    counts: Mapping[str, int]
    sums: Mapping[str, Sequence[Row]]


def protocol_of(ledger: Path | str, hosts: Sequence[str]) -> Task:
    """Return the protocol that yields again, in the same tasks and order, the effects recorded in `ledger`.

    `hosts` are the receivers of a multicast, in device order. Raises `TimingSteered` when the record holds
    interrupted work or a limit on it: there timing steered learning, or could have.
    """
    return follow(script_of(ledger, hosts))


def follow(script: Script, task: str = "") -> Task:
    """Yield the effects of `task` and of the tasks that it started."""
    for step in script.tasks[task]:
        if isinstance(step, tuple):
            yield Together([follow(script, child) for child in step])
        else:
            yield step


def script_of(ledger: Path | str, hosts: Sequence[str]) -> Script:
    """Return the script recorded in the closed ledger `ledger`. Raises `TimingSteered`."""
    _refuse_steered(ledger)
    notes = chain.from_iterable(_notes(ledger, table) for table in _NOTES)
    with _no_collection():
        places = _arrange(chain(_sends(ledger, hosts), _computes(ledger), _offers(ledger), notes))
        tasks = {task: _in_order(places, task) for task in places}
    counts = {table: _count(ledger, table) for table in ("transfers", "rounds", "steps")}
    return Script({"": []} | tasks | _idle(tasks), counts, _sums(ledger))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Spare the garbage collector, within, its walks over a record that grows and holds no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _count(ledger: Path | str, table: str) -> int:
    ((count,),) = tuples_of(ledger, table, ("count(*)",))
    return int(count)


def _sums(ledger: Path | str) -> dict[str, list[Row]]:
    there = {name for (name,) in tuples_of(ledger, "sqlite_master", ("name",))}
    return {table: list(tuples_of(ledger, table, list(SUMS[table]))) for table in SUMS if table in there}


_Found = Iterable[tuple[str, int, Effect]]
_Places = dict[str, dict[int, Any]]  # task -> number of the effect -> effect, or {place: name} of its tasks


def _arrange(found: _Found) -> _Places:
    """Put every effect in its place, and every task under the effect of its parent that started it."""
    places: _Places = defaultdict(dict)
    for task, seq, effect in found:
        places[task][seq] = effect
    for task in list(places):
        _adopt(places, task)
    return places


def _adopt(places: _Places, task: str) -> None:
    """Enter `task` under its parent, and so every ancestor under its own; the root's name is empty."""
    if task:
        parent, _, name = task.rpartition("/")
        seq, _, number = name.partition(".")
        places[parent].setdefault(int(seq), {})[int(number)] = task
        _adopt(places, parent)


def _in_order(places: _Places, task: str) -> list[Step]:
    """Return the steps of `task`; a number that left no row was a `Together` of tasks without effects."""
    found, prefix = places[task], f"{task}/" if task else ""
    steps = [found.get(seq) or {} for seq in range(max(found) + 1)]
    return [
        tuple(f"{prefix}{seq}.{number}" for number in range(max(step, default=-1) + 1))
        if isinstance(step, dict)
        else step
        for seq, step in enumerate(steps)
    ]


def _idle(tasks: Mapping[str, Sequence[Step]]) -> dict[str, list[Any]]:
    """Return the tasks that were started and did nothing."""
    started = {name for steps in tasks.values() for step in steps if isinstance(step, tuple) for name in step}
    return {name: [] for name in started - tasks.keys()}


def _refuse_steered(ledger: Path | str) -> None:
    """Raise `TimingSteered` for work that was cut short, or that could have been."""
    for table, wanted in (("transfers", "delivered"), ("computes", "done")):
        for number, outcome in tuples_of(ledger, table, ("id", "outcome"), "outcome != ?", (wanted,)):
            raise TimingSteered(f"{table.removesuffix('s')} {number} was {outcome}: timing steered this run")
    for task, seq, deadline_s, enough in tuples_of(ledger, "limits", (*PLACE, "deadline_s", "enough")):
        limit = f"a deadline of {deadline_s:g} s" if deadline_s is not None else f"{enough} results as enough"
        raise TimingSteered(f"effect {seq} of task '{task}' had {limit}: timing could steer this run")


def _sends(ledger: Path | str, hosts: Sequence[str]) -> _Found:
    parcels: dict[int, dict[str, RecordedParcel]] = defaultdict(dict)
    columns = ("transfer", "kind", "bytes", "value_count", "sha256")
    for transfer, kind, nbytes, values, sha256 in tuples_of(ledger, "payloads", columns):
        parcels[transfer][kind] = RecordedParcel(nbytes, values, sha256)
    everybody = tuple(hosts)
    asked = (*PLACE, "id", "src", "dst", "receivers")
    for task, seq, number, src, dst, receivers in tuples_of(ledger, "transfers", asked):
        if dst == "*" and receivers != len(everybody):
            known = f"{receivers} of {len(everybody)} devices, and it is not known to which"
            raise TimingSteered(f"transfer {number} went to {known}")
        yield task, seq, Send(src, everybody if dst == "*" else dst, parcels[number])


def _computes(ledger: Path | str) -> _Found:
    effect = cache(lambda host, flops, what: Compute(host, flops, _nothing, what))  # much work is alike
    asked = "task NOT GLOB 'queue *'"  # the rest is the work that offers wait for
    for task, seq, host, flops, what in tuples_of(
        ledger, "computes", (*PLACE, "host", "flops", "what"), asked
    ):
        yield task, seq, effect(host, flops, what)


def _offers(ledger: Path | str) -> _Found:
    columns = (*PLACE, "host", "queue", "place", "flops", "max_items", "what")
    for task, seq, host, queue, place, flops, max_items, what in tuples_of(ledger, "offers", columns):
        yield task, seq, Offer(host, queue, place, None, list, flops, max_items, what)


def _notes(ledger: Path | str, table: str) -> _Found:
    figures = [name for name in TABLES[table] if name not in _STAMPED]
    for task, seq, *values in tuples_of(ledger, table, (*PLACE, *figures)):
        yield task, seq, Note(table, dict(zip(figures, values, strict=True)))


def _nothing() -> None:
    """Stand in for a job whose outcome is on record."""
