"""A run's timeline in the Chrome trace-event format, as Perfetto reads it; times are simulated.

The server, each direction of the air and each device are a process there. A device has a track for its
computing, one for what it sends and one for what it receives; the server one for its computing; a direction
has all its transfers, which overlap, as asynchronous tracks. Arrows (flows) lead from the transfer that a
device sent to the server's work on it, and from the server's work to the transfer in which a device receives
its outcome. Counters: transfers on the air in each direction and whether there are any, work that waits for
the server, accuracy; where there are wires, the load of each link, in a process of their own. The format:
"Trace Event Format", Google, 2016, which both viewers follow.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from slfac_sim.analysis.air import DIRECTIONS
from slfac_sim.analysis.critical_path import CODEC_WORK
from slfac_sim.analysis.graph import capacities
from slfac_sim.analysis.links import kinds_of, loads_over_time
from slfac_sim.analysis.structure import EVERYBODY, SERVER, Row, Tables, devices_of, direction, is_server

Event = dict[str, Any]

NEEDED = ("transfers", "payloads", "computes", "rounds", "evals")
WIRED = ("links", "wires", "routes")  # shown where they are there
SERVER_PID, WAY_PIDS, LINKS_PID, FIRST_DEVICE_PID = 1, {"up": 2, "down": 3}, 4, 10
_SORTED = {"ph": "M", "name": "process_sort_index"}
COMPUTE_TID, SEND_TID, RECEIVE_TID = 1, 100, 200  # further lanes of a kind follow its first


def write_trace(tables: Tables, path: Path) -> Path:
    """Write the timeline of the run whose ledger's `tables` (those `NEEDED`) are given to `path`, gzipped.

    Equal tables give equal bytes. Return `path`.
    """
    with path.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write(b'{"displayTimeUnit":"ms","traceEvents":[\n')
        for number, event in enumerate(events(tables)):
            line = json.dumps(event, separators=(",", ":"))
            packed.write((",\n" if number else "").encode() + line.encode())
        packed.write(b"\n]}\n")
    return path


def events(tables: Tables) -> Iterator[Event]:
    """Yield all events: names of the tracks, work, transfers with their arrows, counters."""
    pids = _pids(tables)
    ends_of = _ends(tables)
    work = _by_lane(tables["computes"], lambda row: (pids[row["host"]], COMPUTE_TID), "start_s")
    radio = _by_lane(
        [{**row, "end": host, "tid": tid} for row in tables["transfers"] for host, tid in ends_of(row)],
        lambda row: (pids[row["end"]], row["tid"]),
        "asked_s",
    )
    yield from _names(pids, sorted({track for track, _ in [*work, *radio]}))
    for (pid, tid), row in work:
        kind = "codec" if row["what"] in CODEC_WORK else "compute"
        waited_ms = 1e3 * (row["start_s"] - row["asked_s"])
        args = {"flops": row["flops"], "waited_ms": waited_ms, "task": row["task"]}
        yield _slice(pid, tid, row["what"], kind, row["start_s"], row["end_s"], args)
    kinds = kinds_of(tables)
    for (pid, tid), row in radio:
        args = _transfer_args(row, kinds)
        yield _slice(pid, tid, args["kind"], "transfer", row["asked_s"], row["end_s"], args)
    yield from _spans(tables["transfers"], kinds)
    yield from _flows(work, radio)
    yield from _counters(tables, pids)
    yield from _links(tables)


def _pids(tables: Tables) -> dict[str, int]:
    """Return the process of each host: the first server, then the devices, then the other servers."""
    devices = devices_of(tables)
    ends = {row[end] for row in tables["transfers"] for end in ("src", "dst")}
    servers = filter(is_server, sorted(ends | {row["host"] for row in tables["computes"]}))
    first, *others = [*servers] or [SERVER]
    return {first: SERVER_PID} | {
        host: FIRST_DEVICE_PID + number for number, host in enumerate([*devices, *others])
    }


def _ends(tables: Tables) -> Callable[[Row], list[tuple[str, int]]]:
    """Return what tells of a transfer the hosts that show it, and whether they send or receive there.

    Those are the devices; both ends between servers. A multicast reaches all devices of its server.
    """
    devices = devices_of(tables)
    homes = {row["device"]: row["server"] for row in tables.get("links", ())}

    def ends(row: Row) -> list[tuple[str, int]]:
        if row["dst"] == EVERYBODY:
            return [(name, RECEIVE_TID) for name in devices if homes.get(name, row["src"]) == row["src"]]
        shown = [(row["src"], SEND_TID), (row["dst"], RECEIVE_TID)]
        return [end for end in shown if direction(row) == "between" or not is_server(end[0])]

    return ends


_Placed = list[tuple[tuple[int, int], Row]]


def _by_lane(rows: Iterable[Row], track: Any, start: str) -> _Placed:
    """Give each row its process and thread, in the order of their starts.

    No two on one thread overlap: where they would, the later one gets a further lane.
    """
    free_us: dict[tuple[int, int], list[int]] = defaultdict(list)  # per track: when each of its lanes is free
    placed: _Placed = []
    for row in sorted(rows, key=lambda row: (row[start], row["end_s"], row["id"])):
        pid, tid = track(row)
        lanes, from_ns, to_ns = free_us[pid, tid], _ns(row[start]), _ns(row["end_s"])
        lane = next((number for number, free in enumerate(lanes) if free <= from_ns), len(lanes))
        lanes[lane : lane + 1] = [to_ns]
        placed.append(((pid, tid + lane), row))
    return placed


def _names(pids: Mapping[str, int], tracks: Sequence[tuple[int, int]]) -> Iterator[Event]:
    ways = {f"air, {way}link": pid for way, pid in WAY_PIDS.items()}
    for name, pid in sorted({**pids, **ways}.items(), key=lambda item: item[1]):
        place = SERVER_PID if is_server(name) and name in pids else pid
        yield {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": name}}
        yield {**_SORTED, "pid": pid, "tid": 0, "args": {"sort_index": place}}
    for pid, tid in tracks:
        kind = {COMPUTE_TID: "computes", SEND_TID: "sends", RECEIVE_TID: "receives"}[_kind_of(tid)]
        lane = tid - _kind_of(tid)
        name = f"{kind} ({lane + 1})" if lane else kind
        yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}}
        yield {"ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid, "args": {"sort_index": tid}}


def _kind_of(tid: int) -> int:
    return max(first for first in (COMPUTE_TID, SEND_TID, RECEIVE_TID) if first <= tid)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)


def _us(seconds: float) -> float:
    """Return microseconds, whole nanoseconds: what ends where another begins does so in the file too."""
    return _ns(seconds) / 1e3


def _slice(pid: int, tid: int, name: str, kind: str, from_s: float, to_s: float, args: Event) -> Event:
    duration_us = (_ns(to_s) - _ns(from_s)) / 1e3
    head = {"ph": "X", "name": name, "cat": kind, "pid": pid, "tid": tid}
    return {**head, "ts": _us(from_s), "dur": duration_us, "args": args}


def _transfer_args(row: Row, kinds: Mapping[int, str]) -> Event:
    head = {"kind": kinds.get(row["id"], "transfer"), "transfer": row["id"]}
    sent = {name: row[name] for name in ("src", "dst", "payload_bytes")}
    rest = {"airtime_ms": 1e3 * row["airtime_s"], "task": row["task"], "outcome": row["outcome"]}
    return head | sent | rest


def _spans(transfers: Sequence[Row], kinds: Mapping[int, str]) -> Iterator[Event]:
    """Yield each transfer as an asynchronous span of its direction, from asking to the last bit."""
    for row in sorted(transfers, key=lambda row: (row["asked_s"], row["id"])):
        way = direction(row)
        if way not in WAY_PIDS:
            continue
        name = row["src"] if way == "up" else "all" if row["dst"] == EVERYBODY else row["dst"]
        own = {"local": hex(row["id"])}  # within its process: a plain `id` would be one of the whole trace
        head = {"name": name, "cat": f"{way}link", "id2": own, "pid": WAY_PIDS[way], "tid": 0}
        args = {"kind": kinds.get(row["id"], "transfer")}
        yield {"ph": "b", **head, "ts": _us(row["asked_s"]), "args": args}
        yield {"ph": "e", **head, "ts": _us(row["last_bit_s"])}


def _flows(work: _Placed, radio: _Placed) -> Iterator[Event]:
    """Yield the arrows, each as a pair of one id.

    The work that made a transfer is the effect before it in the task, the work on it the effect after. An
    arrow that has no work at the server's end is left out.
    """
    at_server = {(row["task"], row["seq"]): (track, row) for track, row in work if is_server(row["host"])}
    number = 0
    for track, row in radio:
        up = row["tid"] == SEND_TID
        work_on_it = at_server.get((row["task"], row["seq"] + (1 if up else -1)))
        if work_on_it is None or row["outcome"] != "delivered":
            continue
        here = (track, _us(row["asked_s"]))
        there = (work_on_it[0], _us(work_on_it[1]["start_s"]))
        (start, start_us), (end, end_us) = (here, there) if up else (there, here)
        head = {"name": "sent", "cat": "flow", "id": number}
        yield {"ph": "s", **head, "pid": start[0], "tid": start[1], "ts": start_us}
        yield {"ph": "f", "bp": "e", **head, "pid": end[0], "tid": end[1], "ts": end_us}
        number += 1


def _counters(tables: Tables, pids: Mapping[str, int]) -> Iterator[Event]:
    for way in DIRECTIONS:
        rows = [row for row in tables["transfers"] if direction(row) == way]
        for at_s, count in _levels(rows, "start_s", "last_bit_s"):
            yield _counter(f"{way}link", WAY_PIDS[way], at_s, {"transfers": count, "busy": min(count, 1)})
    for server, pid in pids.items():
        asked = [row for row in tables["computes"] if row["host"] == server and is_server(server)]
        for at_s, count in _levels(asked, "asked_s", "start_s"):
            yield _counter("queue", pid, at_s, {"waiting": count})
    for row in tables["evals"]:
        shown = {"with codec": row["accuracy"], "without codec": row["accuracy_no_codec"]}
        known = {name: value for name, value in shown.items() if value is not None}
        yield _counter("accuracy", SERVER_PID, row["at_s"], known)
    for row in tables["rounds"]:
        head = {"ph": "i", "s": "p", "name": f"round {row['round']} averaged"}
        yield {**head, "pid": SERVER_PID, "tid": COMPUTE_TID, "ts": _us(row["at_s"])}


def _links(tables: Tables) -> Iterator[Event]:
    """Yield the load of each link, of a wire in percent of its capacity, of a medium in Mbit/s."""
    if not tables.get("wires"):
        return
    yield {"ph": "M", "name": "process_name", "pid": LINKS_PID, "tid": 0, "args": {"name": "links"}}
    yield {**_SORTED, "pid": LINKS_PID, "tid": 0, "args": {"sort_index": LINKS_PID}}
    capacity_bps = capacities(tables["wires"])
    for link, at_s, load_bps in loads_over_time(tables):
        unit, whole_bps = ("%", capacity_bps[link] / 100.0) if link in capacity_bps else ("Mbit/s", 1e6)
        yield _counter(link, LINKS_PID, at_s, {unit: round(load_bps / whole_bps, 3)})


def _counter(name: str, pid: int, at_s: float, values: Event) -> Event:
    return {"ph": "C", "name": name, "pid": pid, "tid": 0, "ts": _us(at_s), "args": values}


def _levels(rows: Sequence[Row], start: str, end: str) -> Iterator[tuple[float, int]]:
    """Yield (time, how many of `rows` are between start and end) wherever that changes."""
    changes: dict[float, int] = defaultdict(int)
    for row in rows:
        changes[row[start]] += 1
        changes[row[end]] -= 1
    count = 0
    for at_s in sorted(changes):
        if changes[at_s]:
            count += changes[at_s]
            yield at_s, count
