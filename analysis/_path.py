"""The structure of a recorded run and walks through it, from an end back to the start; it adds nothing up.

Rows name the task that asked for an effect and the effect's number within the task (`task`, `seq`), so they
say by themselves what had to happen before what: see `Structure`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from slfac_sim.foundation.errors import BadInput

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
Place = tuple[str, int]  # task, number of the effect
Batch = tuple[str, str, float]  # host, queue, end

DEVICE_COMPUTE, CODEC, AIR_WAIT, AIRTIME, PROPAGATION, SERVER_QUEUE, SERVER_COMPUTE, BARRIER = PARTS = (
    *("device compute", "codec", "waiting for air", "airtime", "propagation"),
    *("server queue", "server compute", "waiting at the barrier"),
)
SERVER = "server"
CODEC_WORK = frozenset({"encode", "decode", "encode_model", "decode_model"})


class Segment(NamedTuple):
    """A stretch of time of one part: where (of a transfer: its device), in which work, asked by whom."""

    part: str
    from_s: float
    to_s: float
    host: str
    what: str
    task: str
    seq: int


class Barrier(NamedTuple):
    """A wait that ended at `at_s`, when `device` came as the last of `size` (the first of equals)."""

    at_s: float
    device: str
    size: int
    task: str
    seq: int


@dataclass(frozen=True)
class Structure:
    """What had to happen before what.

    `effects` are the rows of computes, transfers and offers by their place; a place that is missing is a
    note, which takes no time. `children` are the tasks that the effect at a place runs side by side, in
    their order, and `last` is the number of each task's last effect. A batch of offers is known by host,
    queue and end: `served` is its compute, `latest` the item that was asked last (the first of equals),
    `earliest_s` when the first was, `sizes` its number of items. `device_of` tells on which device a task
    works.
    """

    effects: dict[Place, Row]
    children: dict[Place, list[str]]
    last: dict[str, int]
    served: dict[Batch, Row]
    latest: dict[Batch, Row]
    earliest_s: dict[Batch, float]
    sizes: dict[Batch, int]
    device_of: dict[str, str]

    def ended_s(self, task: str) -> float:
        """Return when the last effect of `task` ended."""
        place = (task, self.last[task])
        if place in self.children:
            return max(map(self.ended_s, self.children[place]))
        return float(self.effects[place]["end_s"])

    def cut_off(self, task: str) -> bool:
        """Return whether `task` was closed in the midst of an effect, at a deadline or with enough others."""
        row = self.effects.get((task, self.last[task]), {})
        return row.get("outcome") in ("interrupted", "cancelled")


def structure(tables: Tables) -> Structure:
    """Return the structure of the run whose ledger's `tables` are given."""
    own = [row for row in tables["computes"] if not row["task"].startswith("queue ")]
    effects: dict[Place, Row] = {}
    last: dict[str, int] = {}
    for rows in (own, tables["transfers"], tables["offers"]):
        effects.update({(row["task"], row["seq"]): row for row in rows})
        for task, seq in {row["task"]: row["seq"] for row in rows}.items():  # a task's rows are in its order
            last[task] = max(seq, last.get(task, -1))
    _refuse_endless(last, tables)
    children: dict[Place, list[str]] = defaultdict(list)
    for task in list(last):
        _adopt(task, last, children)
    for names in children.values():
        names.sort(key=lambda name: int(name.rpartition(".")[2]))
    return Structure(effects, dict(children), last, *_batches(tables, len(own)), _devices(tables, own))


def _refuse_endless(last: Mapping[str, int], tables: Tables) -> None:
    """Raise `BadInput` for effects whose numbers no run of so many rows has: a walk would take ages."""
    rows = sum(map(len, tables.values()))
    for task, seq in last.items():
        if not 0 <= seq <= 100 * rows:
            raise BadInput(
                f"task '{task}' has an effect {seq} in a ledger of {rows} rows: no run writes that"
            )


def devices_of(tables: Tables) -> list[str]:
    """Return the devices that a run's rows name, in device order."""
    hosts = {row["host"] for row in tables["computes"]}
    ends = {row[end] for row in tables["transfers"] for end in ("src", "dst")}
    return sorted((hosts | ends) - {SERVER, "*"})


def above(task: str) -> Place:
    """Return the place of the effect that started `task`."""
    parent, _, name = task.rpartition("/")
    return parent, int(name.partition(".")[0])


def _adopt(task: str, last: dict[str, int], children: dict[Place, list[str]]) -> None:
    """Enter `task` under the effect that started it, and its parent likewise if it has no row of its own."""
    if task:
        place = parent, seq = above(task)
        known = parent in last
        children[place].append(task)
        last[parent] = max(seq, last.get(parent, -1))
        if not known:
            _adopt(parent, last, children)


def _batches(
    tables: Tables, own: int
) -> tuple[dict[Batch, Row], dict[Batch, Row], dict[Batch, float], dict[Batch, int]]:
    served: dict[Batch, Row] = {}
    latest: dict[Batch, Row] = {}
    earliest_s: dict[Batch, float] = {}
    sizes: dict[Batch, int] = defaultdict(int)
    if own < len(tables["computes"]):
        for row in tables["computes"]:
            if row["task"].startswith("queue "):
                served[row["host"], row["task"][len("queue ") :], row["end_s"]] = row
    for row in tables["offers"]:
        key = (row["host"], row["queue"], row["end_s"])
        sizes[key] += 1
        if key not in latest or row["asked_s"] > latest[key]["asked_s"]:
            latest[key] = row
        if row["asked_s"] < earliest_s.get(key, inf):
            earliest_s[key] = row["asked_s"]
    return served, latest, earliest_s, dict(sizes)


def _devices(tables: Tables, own: Sequence[Row]) -> dict[str, str]:
    sends = {row["task"]: row["src"] if row["dst"] == SERVER else row["dst"] for row in tables["transfers"]}
    computes = {row["task"]: row["host"] for row in own if row["host"] != SERVER}
    return {task: host for task, host in (sends | computes).items() if task and host != "*"}


class Walk:
    """A walk from an end back to the start of the run; `segments` and `barriers` are what it met, backwards.

    Without a `device` it follows what delayed that end: at a barrier it goes on with whoever came last. With
    a `device` it stays with this one: what the device waits for at a barrier is a segment of its own. A
    barrier counts where somebody waited: not when all came at one instant.
    """

    def __init__(self, of: Structure, device: str | None = None) -> None:
        self.segments: list[Segment] = []
        self.barriers: list[Barrier] = []
        self._of = of
        self._device = device
        self._at_s = 0.0

    def back(self, task: str, seq: int, at_s: float, since_s: float = 0.0) -> None:
        """Walk from `at_s`, just before effect number `seq` of `task`, back to `since_s` or a little more."""
        self._at_s = at_s
        while (task or seq > 0) and self._at_s > since_s:
            if seq == 0:
                task, seq = above(task)  # the parent's effects before this one come next
                continue
            seq -= 1
            if (task, seq) in self._of.children:
                task, seq = self._join(task, seq)
            elif (task, seq) in self._of.effects:
                task, seq = self._perform(self._of.effects[task, seq])
        self._wait_since(since_s, "", task, seq)

    def _add(self, part: str, from_s: float, host: str, what: str, task: str, seq: int) -> None:
        if from_s < self._at_s:
            self.segments.append(Segment(part, from_s, self._at_s, host, what, task, seq))
            self._at_s = from_s

    def _wait_since(self, from_s: float, what: str, task: str, seq: int) -> None:
        self._add(BARRIER, from_s, self._device or self._of.device_of.get(task, SERVER), what, task, seq)

    def _join(self, task: str, seq: int) -> Place:
        """Go on at the end of the child that ended last; a device goes on with its own, if it has one."""
        of, children = self._of, self._of.children[task, seq]
        if self._device is not None:
            children = [child for child in children if of.device_of.get(child) == self._device]
            if not children:
                return task, seq
        child = max(children, key=lambda task: (of.ended_s(task), not of.cut_off(task)))
        self._wait_since(of.ended_s(child), "others", child, of.last[child])
        if min(map(of.ended_s, children)) < self._at_s:
            self.barriers.append(
                Barrier(self._at_s, of.device_of.get(child, child), len(children), task, seq)
            )
        return child, of.last[child] + 1

    def _perform(self, row: Row) -> Place:
        """Add the segments of one effect, and return the place before which the walk goes on."""
        task, seq = row["task"], row["seq"]
        self._wait_since(row["end_s"], "others", task, seq)
        if "queue" in row:
            return self._offer(row)
        if self._is_foreign(row):
            self._wait_since(row["asked_s"], "others", task, seq)
        elif "airtime_s" in row:
            self._transfer(row)
        else:
            self._compute(row, task, seq)
        return task, seq

    def _is_foreign(self, row: Row) -> bool:
        """Whether an effect of a task that serves all belongs to another device than the walk's."""
        ends = {row["src"], row["dst"]} if "src" in row else {row["host"]}
        return self._device is not None and not ends & {self._device, "*"} and ends != {SERVER}

    def _compute(self, row: Row, task: str, seq: int) -> None:
        host, what = row["host"], row["what"]
        busy, waiting = DEVICE_COMPUTE, DEVICE_COMPUTE
        if host == SERVER:
            busy, waiting = SERVER_COMPUTE, SERVER_QUEUE
        self._add(CODEC if what in CODEC_WORK else busy, row["start_s"], host, what, task, seq)
        self._add(waiting, row["asked_s"], host, what, task, seq)

    def _transfer(self, row: Row) -> None:
        up = row["dst"] == SERVER
        where = (row["src"] if up else row["dst"], "up" if up else "down", row["task"], row["seq"])
        self._add(PROPAGATION, row["last_bit_s"], *where)
        self._add(AIRTIME, max(row["start_s"], row["last_bit_s"] - row["airtime_s"]), *where)
        self._add(AIR_WAIT, row["asked_s"], *where)

    def _offer(self, row: Row) -> Place:
        task, seq = row["task"], row["seq"]
        key = (row["host"], row["queue"], row["end_s"])
        served, latest = self._of.served[key], self._of.latest[key]
        self._compute(served, task, seq)
        if self._device is not None:
            self._wait_since(row["asked_s"], row["queue"], task, seq)
            return task, seq
        task, seq = str(latest["task"]), int(latest["seq"])
        if self._of.earliest_s[key] < self._at_s:
            device = self._of.device_of.get(task, task)
            self.barriers.append(Barrier(self._at_s, device, self._of.sizes[key], task, seq))
        return task, seq
