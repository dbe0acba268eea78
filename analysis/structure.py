"""The structure of a recorded run: what had to happen before what, from its rows alone.

Rows name the task that asked for an effect and the effect's number within the task (`task`, `seq`), so they
say by themselves what waited for what: see `Structure`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import fsum, inf
from typing import Any

from slfac_sim.foundation.errors import BadInput

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
Place = tuple[str, int]  # task, number of the effect
Batch = tuple[str, str, float]  # host, queue, end

SERVER = "server"  # the only one; where there are several, each has a name of its own
EVERYBODY = "*"  # the receivers of a multicast
_DEVICE = re.compile(r"d\d{3,}")


@cache
def is_server(host: str) -> bool:
    """Return whether `host` is a server: devices are d000, d001, ..., and no server is called so."""
    return host != EVERYBODY and _DEVICE.fullmatch(host) is None


@dataclass(frozen=True)
class Structure:
    """What had to happen before what.

    `effects` are the rows of computes, transfers and offers by their place; a place that is missing is a
    note, which takes no time. `children` are the tasks that the effect at a place runs side by side, in
    their order, and `last` is the number of each task's last effect. A batch of offers is known by host,
    queue and end: `served` is its compute, `latest` the item that was asked last (the first of equals),
    `earliest_s` when the first was, `sizes` its number of items. `device_of` tells on which device a task
    works, `server_of` the server that it is first at work on. Of the children at a place, `own` has those
    that work on a device, or have one below them that does, by device; of those that work on several and
    start no other, `shared` has the rows of each host instead. `wired` tells of a transfer's time on the way,
    by its number, which part wires limited, `set_up_s` what passed before it.
    """

    effects: dict[Place, Row]
    children: dict[Place, list[str]]
    last: dict[str, int]
    served: dict[Batch, Row]
    latest: dict[Batch, Row]
    earliest_s: dict[Batch, float]
    sizes: dict[Batch, int]
    device_of: dict[str, str]
    server_of: dict[str, str]
    own: dict[Place, dict[str, list[str]]]
    shared: dict[Place, dict[str, list[Row]]]
    wired: dict[int, float]
    set_up_s: dict[int, float]

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
    batches, devices = _batches(tables, len(own)), _devices(tables, own)
    members, servers = _members(devices), _servers(own)
    shared = _shared(tables, own) - {task for task, _ in children}
    own_tasks = _own(children, {task: devices[task] for task in devices.keys() - shared}, members)
    of_tasks = (devices, servers, own_tasks, _rows_of(shared, effects.values()))
    set_up_s = {row["transfer"]: row["set_up_s"] for row in tables.get("set_ups", ())}
    return Structure(effects, dict(children), last, *batches, *of_tasks, wired_parts(tables), set_up_s)


def _own(
    children: Mapping[Place, Sequence[str]], device_of: Mapping[str, str], members: Mapping[str, set[str]]
) -> dict[Place, dict[str, list[str]]]:
    """Return the children at each place by device."""
    own: dict[Place, dict[str, list[str]]] = {place: {} for place in children}
    for place, names in children.items():
        for child in names:
            for device in members.get(child, set()) | ({device_of[child]} if child in device_of else set()):
                own[place].setdefault(device, []).append(child)
    return own


def _rows_of(shared: frozenset[str], rows: Iterable[Row]) -> dict[Place, dict[str, list[Row]]]:
    """Return the rows of the `shared` tasks, by the place that started them and by host."""
    found: dict[Place, dict[str, list[Row]]] = {above(task): defaultdict(list) for task in shared}
    for row in rows:
        if row["task"] in shared:
            for host in {row[name] for name in ("src", "dst", "host") if name in row}:
                found[above(row["task"])][host].append(row)
    return found


def _refuse_endless(last: Mapping[str, int], tables: Tables) -> None:
    """Raise `BadInput` for effects whose numbers no run of so many rows has: a walk would take ages."""
    rows = sum(map(len, tables.values()))
    for task, seq in last.items():
        if not 0 <= seq <= 100 * rows:
            where = f"task '{task}' has an effect {seq}"
            raise BadInput(f"{where} in a ledger of {rows} rows: no run writes that")


def devices_of(tables: Tables) -> list[str]:
    """Return the devices that a run's rows name, in device order."""
    hosts = {row["host"] for row in tables["computes"]}
    ends = {row[end] for row in tables["transfers"] for end in ("src", "dst")}
    return sorted(host for host in hosts | ends if not (is_server(host) or host == EVERYBODY))


def wired_parts(tables: Tables) -> dict[int, float]:
    """Return by its number for each transfer that links limited which part of that time they were wires."""
    names = [row["name"] for row in tables.get("wires", ())]
    limits: dict[int, list[Row]] = defaultdict(list)
    for row in tables.get("bottlenecks", ()):
        limits[row["transfer"]].append(row)
    return {
        transfer: fsum(row["limited_s"] for row in rows if wire_of(row["link"]) in names) / whole_s
        for transfer, rows in limits.items()
        if (whole_s := fsum(row["limited_s"] for row in rows)) > 0.0
    }


def wire_of(link: str) -> str:
    """Return the name of the wire of which `link` is a direction: ``core`` of ``core campus->edge1``."""
    return link.partition(" ")[0]


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
    sends = {row["task"]: device_of(row) for row in tables["transfers"]}
    computes = {row["task"]: row["host"] for row in own}
    hosts = (sends | {task: host for task, host in computes.items() if not is_server(host)}).items()
    return {task: host for task, host in hosts if task and not is_server(host) and host != EVERYBODY}


def _shared(tables: Tables, own: Sequence[Row]) -> frozenset[str]:
    devices: dict[str, set[str]] = defaultdict(set)
    for row in own:
        if not is_server(row["host"]):
            devices[row["task"]].add(row["host"])
    for row in tables["transfers"]:
        if not is_server(device_of(row)) and device_of(row) != EVERYBODY:
            devices[row["task"]].add(device_of(row))
    return frozenset(task for task, hosts in devices.items() if task and len(hosts) > 1)


def _members(device_of: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the devices of the tasks below each task that works on none itself; the root is left out."""
    members: dict[str, set[str]] = defaultdict(set)
    for task, device in device_of.items():
        parent = above(task)[0]
        while parent and parent not in device_of:
            members[parent].add(device)
            parent = above(parent)[0]
    return members


def _servers(own: Sequence[Row]) -> dict[str, str]:
    """Return the server of the first compute of each task that begins with one on a server."""
    first: dict[str, Row] = {}
    for row in own:
        if row["task"] not in first or row["seq"] < first[row["task"]]["seq"]:
            first[row["task"]] = row
    return {task: row["host"] for task, row in first.items() if is_server(row["host"])}


def device_of(transfer: Row) -> str:
    """Return the device at the far end of a transfer, `*` for a multicast; between servers, the receiver."""
    return str(transfer["src"] if not is_server(transfer["src"]) else transfer["dst"])


def direction(transfer: Row) -> str:
    """Return `up` for a transfer from a device, `down` for one to devices, `between` for one of servers."""
    if not is_server(transfer["src"]):
        return "up"
    return "between" if is_server(transfer["dst"]) else "down"
