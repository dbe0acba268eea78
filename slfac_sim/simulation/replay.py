"""The replay: a recorded run as a protocol again, so that another network or other speeds can time it.

It reads what learning did (bytes, work, order, figures) from a ledger and needs neither a model nor torch.
On another clock it is exact where timing does not steer learning, which holds for protocols without
deadlines. On the clock of the record it is exact always: what was cut short then is cut short again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, final

from slfac_sim.effects import Compute, Effect, Failure, Note, Offer, Send, Task, Together
from slfac_sim.foundation.host import no_collection
from slfac_sim.ledger.reader import LedgerReader
from slfac_sim.ledger.store import Row
from slfac_sim.ledger.tables import ASIDES, BY_ROUND, PLACE, TABLES
from slfac_sim.simulation.replay_log import Ended, RecordedParcel, logged_steps, no_job

_STAMPED = ("task", "seq", "at_s", "payload_bytes")  # the player's part of a note's row
_NOTES = [table for table, columns in TABLES.items() if {"task", "at_s"} <= columns.keys()]


@final
class Started(NamedTuple):
    """Tasks that were started together, by name, and the limits on them."""

    tasks: tuple[str, ...]
    deadline_s: float | None = None
    enough: int | None = None


Step = Effect | Started | Ended


class TimingSteered(ValueError):
    """The record holds work that timing cut short or could have: no other clock could be right."""


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
    reader = LedgerReader(Path(ledger))
    _refuse_steered(reader)
    return _script(reader, hosts, None)


def script_until(ledger: Path | str, hosts: Sequence[str], last: int) -> Script:
    """Return what happened up to effect `last` of the root, which is included, whatever timing steered.

    It is exact on the clock of the record only: same network, same speeds, same limits.
    """
    return _script(LedgerReader(Path(ledger)), hosts, last)


def _script(ledger: LedgerReader, hosts: Sequence[str], last: int | None) -> Script:
    """Return the whole script, or that up to effect `last` of the root, on the clock of the record."""
    there = ledger.tables()
    notes = chain.from_iterable(_notes(ledger, table) for table in _NOTES if table in there)
    logged = list(logged_steps(ledger)) if "asides" in there else []  # before what other tables tell
    known = None if last is not None else {step[:2] for step in logged if isinstance(step[2], Send)}
    sends = _sends(ledger, tuple(hosts), known)
    steps: _Steps = chain(sends, _computes(ledger), _offers(ledger), notes, _limits(ledger), logged)
    if last is not None:
        steps = ((task, seq, step) for task, seq, step in steps if int(task.partition(".")[0] or seq) <= last)
    with no_collection():
        places = _arrange(steps)
        tasks = {task: _in_order(places, task) for task in places}
    counts = {table: _count(ledger, table) for table in ("transfers", "rounds", "steps")}
    return Script({"": []} | tasks | _idle(tasks), counts, _sums(ledger, there))


def _count(ledger: LedgerReader, table: str) -> int:
    ((count,),) = ledger.tuples(table, ("count(*)",))
    return int(count)


def _sums(ledger: LedgerReader, there: Collection[str]) -> dict[str, list[Row]]:
    return {
        table: list(ledger.tuples(table, list(columns)))
        for table, columns in (BY_ROUND | ASIDES).items()
        if table in there
    }


_Steps = Iterable[tuple[str, int, Any]]  # a task, the number of its effect, and what is known of that
_Places = dict[str, dict[int, Any]]  # task -> number of the effect -> a step, or {place: name} of its tasks


@dataclass
class _Children:
    """A `Together` of which some tasks have been met: their names by place; how many there are at least."""

    names: dict[int, str] = field(default_factory=dict)
    count: int = 0
    limits: tuple[float | None, int | None] = (None, None)


def _arrange(steps: _Steps) -> _Places:
    """Put every effect in its place, and every task under the effect of its parent that started it."""
    places: _Places = defaultdict(dict)
    for task, seq, step in steps:
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
    place, prefix = places[task], f"{task}/" if task else ""
    steps: list[Any] = list(map(place.get, range(max(place, default=-1) + 1)))
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


def _refuse_steered(ledger: LedgerReader) -> None:
    """Raise `TimingSteered` for work that was cut short, or that could have been."""
    for table, wanted in (("transfers", "delivered"), ("computes", "done")):
        for number, outcome in ledger.tuples(table, ("id", "outcome"), "outcome != ?", (wanted,)):
            raise TimingSteered(f"{table.removesuffix('s')} {number} was {outcome}: timing steered this run")
    for task, seq, deadline_s, enough in ledger.tuples("limits", (*PLACE, "deadline_s", "enough")):
        limit = f"a deadline of {deadline_s:g} s" if deadline_s is not None else f"{enough} results as enough"
        raise TimingSteered(f"effect {seq} of task '{task}' had {limit}: timing could steer this run")


def _sends(
    ledger: LedgerReader, devices: tuple[str, ...], known: Collection[tuple[str, int]] | None
) -> _Steps:
    """Yield the transfers. Who heard a multicast is `known` from elsewhere; None: the clock is the same."""
    parcels: dict[int, dict[str, RecordedParcel]] = defaultdict(dict)
    columns = ("transfer", "kind", "bytes", "value_count", "sha256")
    for transfer, kind, nbytes, values, sha256 in ledger.tuples("payloads", columns):
        parcels[transfer][kind] = RecordedParcel(nbytes, values, sha256)
    asked = (*PLACE, "id", "src", "dst", "receivers")
    for task, seq, transfer, src, dst, receivers in ledger.tuples("transfers", asked):
        if known is not None and dst == "*" and receivers != len(devices) and (task, seq) not in known:
            heard = f"{receivers} of {len(devices)} devices, and it is not known to which"
            raise TimingSteered(f"transfer {transfer} went to {heard}")
        yield task, seq, Send(src, devices if dst == "*" else dst, parcels[transfer])


def _computes(ledger: LedgerReader) -> _Steps:
    effect = cache(lambda host, flops, what: Compute(host, flops, no_job, what))  # much work is alike
    asked = "task NOT GLOB 'queue *'"  # the rest is the work that offers wait for
    columns = (*PLACE, "host", "flops", "what")
    for task, seq, host, flops, what in ledger.tuples("computes", columns, asked):
        yield task, seq, effect(host, flops, what)


def _offers(ledger: LedgerReader) -> _Steps:
    columns = (*PLACE, "host", "queue", "place", "flops", "max_items", "what")
    for task, seq, host, queue, place, flops, max_items, what in ledger.tuples("offers", columns):
        yield task, seq, Offer(host, queue, place, None, list, flops, max_items, what)


def _notes(ledger: LedgerReader, table: str) -> _Steps:
    figures = [name for name in TABLES[table] if name not in _STAMPED]
    for task, seq, *values in ledger.tuples(table, (*PLACE, *figures)):
        yield task, seq, Note(table, dict(zip(figures, values, strict=True)))


def _limits(ledger: LedgerReader) -> _Steps:
    columns = (*PLACE, "deadline_s", "enough", "tasks")
    for task, seq, deadline_s, enough, tasks in ledger.tuples("limits", columns):
        yield task, seq, _Children(count=tasks, limits=(deadline_s, enough))
