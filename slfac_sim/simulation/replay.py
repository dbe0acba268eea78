"""The replay: a recorded run as a protocol again, so that another network or other speeds can time it.

It reads what learning did (bytes, work, order, figures) from a ledger and needs neither a model nor torch.
On another clock it is exact where timing does not steer learning, which holds for protocols without
deadlines. On the clock of the record it is exact always: what was cut short then is cut short again.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, final

from slfac_sim.effects import Compute, Effect, Excuse, Failure, Note, Offer, Present, Send, Task, Together
from slfac_sim.foundation.host import no_collection
from slfac_sim.ledger.store import PLACE, TABLES, Row, tuples_of
from slfac_sim.ledger.tables import ASIDES, SUMS

_STAMPED = ("task", "seq", "at_s", "payload_bytes")  # the player's part of a note's row
_NOTES = [table for table, columns in TABLES.items() if {"task", "at_s"} <= columns.keys()]


@final
class Started(NamedTuple):
    """Tasks that were started together, by name, and the limits on them."""

    tasks: tuple[str, ...]
    deadline_s: float | None = None
    enough: int | None = None


@final
class Ended(NamedTuple):
    """The end of a task that did not end well."""

    reason: str


Step = Effect | Started | Ended


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
    """Yield the effects of `task` and of the tasks that it started.

    One that fails has failed in the record too: the step that followed it there is the next.
    """
    for step in script.tasks[task]:
        if type(step) is Started:
            tasks = [follow(script, child) for child in step.tasks]
            yield Together(tasks, step.deadline_s, step.enough)
        elif type(step) is Ended:
            raise Failure(step.reason)
        else:
            try:  # noqa: SIM105 - `suppress` costs as much as all the rest of this loop
                yield step
            except Failure:
                pass


def script_of(ledger: Path | str, hosts: Sequence[str]) -> Script:
    """Return the script recorded in the closed ledger `ledger`. Raises `TimingSteered`."""
    _refuse_steered(ledger)
    return _script(ledger, hosts, None)


def script_until(ledger: Path | str, hosts: Sequence[str], last: int) -> Script:
    """Return what happened up to effect `last` of the root, which is included, whatever timing steered.

    It is exact on the clock of the record only: same network, same speeds, same limits.
    """
    return _script(ledger, hosts, last)


def _script(ledger: Path | str, hosts: Sequence[str], last: int | None) -> Script:
    """Return the whole script, or that up to effect `last` of the root, on the clock of the record."""
    there = {name for (name,) in tuples_of(ledger, "sqlite_master", ("name",))}
    notes = chain.from_iterable(_notes(ledger, table) for table in _NOTES if table in there)
    asides = chain(_limits(ledger), _asides(ledger))
    sends = _sends(ledger, hosts, same_clock=last is not None)
    found: _Found = chain(sends, _computes(ledger), _offers(ledger), notes, asides)
    if last is not None:
        found = (one for one in found if int(one[0].partition(".")[0] or one[1]) <= last)
    with no_collection():
        places = _arrange(found)
        tasks = {task: _in_order(places, task) for task in places}
    counts = {table: _count(ledger, table) for table in ("transfers", "rounds", "steps")}
    return Script({"": []} | tasks | _idle(tasks), counts, _sums(ledger, there))


def _count(ledger: Path | str, table: str) -> int:
    ((count,),) = tuples_of(ledger, table, ("count(*)",))
    return int(count)


def _sums(ledger: Path | str, there: Collection[str]) -> dict[str, list[Row]]:
    return {
        table: list(tuples_of(ledger, table, list(columns)))
        for table, columns in (SUMS | ASIDES).items()
        if table in there
    }


_Found = Iterable[tuple[str, int, Any]]  # a task, the number of its effect, and what is known of that
_Places = dict[str, dict[int, Any]]  # task -> number of the effect -> a step, or {place: name} of its tasks


@dataclass
class _Children:
    """A `Together` of which some tasks have been met: their names by place; how many there are at least."""

    names: dict[int, str] = field(default_factory=dict)
    count: int = 0
    limits: tuple[float | None, int | None] = (None, None)


def _arrange(found: _Found) -> _Places:
    """Put every effect in its place, and every task under the effect of its parent that started it."""
    places: _Places = defaultdict(dict)
    for task, seq, step in found:
        if step is not None:
            places[task][seq] = step
        else:
            places[task]  # a task that was started and did nothing
    for task in list(places):
        _adopt(places, task)
    return places


def _adopt(places: _Places, task: str) -> None:
    """Enter `task` under its parent, and so every ancestor under its own; the root's name is empty."""
    if task:
        parent, _, name = task.rpartition("/")
        seq, _, number = name.partition(".")
        children = places[parent].setdefault(int(seq), _Children())
        children.names[int(number)] = task
        _adopt(places, parent)


def _in_order(places: _Places, task: str) -> list[Step]:
    """Return the steps of `task`; a number that left no row was a `Together` of tasks without effects."""
    found, prefix = places[task], f"{task}/" if task else ""
    steps: list[Any] = list(map(found.get, range(max(found, default=-1) + 1)))
    for seq in [seq for seq, step in enumerate(steps) if step is None or type(step) is _Children]:
        steps[seq] = _started(steps[seq] or _Children(), f"{prefix}{seq}.")
    return steps


def _started(children: _Children, prefix: str) -> Started:
    count = max(children.count, max(children.names, default=-1) + 1)
    return Started(tuple(f"{prefix}{number}" for number in range(count)), *children.limits)


def _idle(tasks: Mapping[str, Sequence[Step]]) -> dict[str, list[Any]]:
    """Return the tasks that were started and did nothing."""
    started = {
        name for steps in tasks.values() for step in steps if isinstance(step, Started) for name in step.tasks
    }
    return {name: [] for name in started - tasks.keys()}


def _refuse_steered(ledger: Path | str) -> None:
    """Raise `TimingSteered` for work that was cut short, or that could have been."""
    for table, wanted in (("transfers", "delivered"), ("computes", "done")):
        for number, outcome in tuples_of(ledger, table, ("id", "outcome"), "outcome != ?", (wanted,)):
            raise TimingSteered(f"{table.removesuffix('s')} {number} was {outcome}: timing steered this run")
    for task, seq, deadline_s, enough in tuples_of(ledger, "limits", (*PLACE, "deadline_s", "enough")):
        limit = f"a deadline of {deadline_s:g} s" if deadline_s is not None else f"{enough} results as enough"
        raise TimingSteered(f"effect {seq} of task '{task}' had {limit}: timing could steer this run")


def _sends(ledger: Path | str, hosts: Sequence[str], same_clock: bool) -> _Found:
    parcels: dict[int, dict[str, RecordedParcel]] = defaultdict(dict)
    columns = ("transfer", "kind", "bytes", "value_count", "sha256")
    for transfer, kind, nbytes, values, sha256 in tuples_of(ledger, "payloads", columns):
        parcels[transfer][kind] = RecordedParcel(nbytes, values, sha256)
    everybody = tuple(hosts)
    told = {(task, seq) for task, seq, what, _ in _told(ledger) if what == "send"}
    asked = (*PLACE, "id", "src", "dst", "receivers")
    for task, seq, number, src, dst, receivers in tuples_of(ledger, "transfers", asked):
        whole = dst != "*" or receivers == len(everybody)
        if not whole and (task, seq) not in told and not same_clock:  # there it is not heard by as many again
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


def _limits(ledger: Path | str) -> _Found:
    for task, seq, *limits, tasks in tuples_of(ledger, "limits", (*PLACE, "deadline_s", "enough", "tasks")):
        yield task, seq, _Children(count=tasks, limits=(limits[0], limits[1]))


def _told(ledger: Path | str) -> Iterator[tuple[str, int, str, dict[str, Any]]]:
    if any(tuples_of(ledger, "sqlite_master", ("name",), "name = ?", tuple(ASIDES))):
        for task, seq, what, told in tuples_of(ledger, "asides", (*PLACE, "what", "told")):
            yield task, seq, what, json.loads(told)


def _asides(ledger: Path | str) -> _Found:
    """Yield what the other tables do not tell, or not all of (`asides.Asides`); it goes before them."""
    for task, seq, what, told in _told(ledger):
        yield task, seq, None if what == "idle" else _TOLD[what](told)


def _told_send(told: dict[str, Any]) -> Send:
    dst = tuple(told["dst"]) if isinstance(told["dst"], list) else told["dst"]
    return Send(told["src"], dst, {kind: RecordedParcel(*one) for kind, one in told["payloads"].items()})


_TOLD: dict[str, Callable[[dict[str, Any]], Step]] = {
    "compute": lambda told: Compute(job=_nothing, **told),
    "send": _told_send,
    "offer": lambda told: Offer(item=None, serve=list, **told),
    "excuse": lambda told: Excuse(**told),
    "present": lambda told: Present(tuple(told["hosts"]), told["wait"]),
    "failed": lambda told: Ended(told["reason"]),
}


def _nothing() -> None:
    """Stand in for a job whose outcome is on record."""
