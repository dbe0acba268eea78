"""What a moving picture shows of a run: a few of its devices, their servers, packets and work; no drawing.

Of many devices some are shown, from the fastest to the slowest; of a long run its first rounds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from slfac_sim.analysis.critical_path import CODEC_WORK
from slfac_sim.analysis.format import amount
from slfac_sim.analysis.links import kinds_of
from slfac_sim.analysis.structure import EVERYBODY, SERVER, Row, Tables, devices_of, is_server
from slfac_sim.foundation.errors import BadInput

NEEDED = ("transfers", "payloads", "computes", "evals")
OFFERED = ("links",)  # shown where it is there
DEVICES, SERVERS, PACKETS, WORK = 6, 4, 240, 800  # at most


@dataclass(frozen=True)
class Packet:
    """The bytes of one transfer on their way to one host; `way` is up, down or between.

    They wait from `asked_s` on, are on their way from `start_s` to `end_s`, and may be `lost`.
    """

    src: str
    dst: str
    way: str
    model: bool
    payload_bytes: int
    asked_s: float
    start_s: float
    end_s: float
    lost: bool

    def part(self, at_s: float) -> float | None:
        """Return how far it is at an instant, from 0 to 1; None where it is not on its way, nor waits."""
        if not self.asked_s <= at_s < self.end_s:
            return None
        return max(at_s - self.start_s, 0.0) / (self.end_s - self.start_s or 1.0)


@dataclass(frozen=True)
class Work:
    """A stretch of time in which a host computed; `codec`: it encoded or decoded."""

    from_s: float
    to_s: float
    codec: bool

    def part(self, at_s: float) -> float:
        """Return which part of it is done at an instant within it; 0 before and after."""
        return (at_s - self.from_s) / (self.to_s - self.from_s) if self.from_s <= at_s < self.to_s else 0.0


@dataclass(frozen=True)
class Scene:
    """What is shown, from the start of the run to `until_s`; `still_s` is the instant of the still picture.

    `devices` names those that are shown, by server; `told` has a line on each host; `of` counts all devices
    of the run. `accuracy` are the evaluations until then, as (at_s, test accuracy).
    """

    label: str
    devices: Mapping[str, Sequence[str]]
    told: Mapping[str, str]
    of: int
    packets: Sequence[Packet]
    work: Mapping[str, Sequence[Work]]
    accuracy: Sequence[tuple[float, float]]
    until_s: float
    still_s: float


def scene(label: str, tables: Tables) -> Scene:
    """Return what to show of the run whose ledger's `tables` are given.

    Raises `BadInput` where nothing happened.
    """
    speeds = _speeds(tables["computes"])
    every = devices_of(tables)
    devices = sorted(_spread(sorted(every, key=lambda name: (-speeds.get(name, 0.0), name)), DEVICES))
    homes = _homes(tables, devices)
    servers = _servers(tables, homes.values())
    hosts = (*devices, *servers)
    packets = [packet for packet in _packets(tables, homes) if {packet.src, packet.dst} <= {*hosts}]
    until_s = _until_s(tables, packets)
    packets = [packet for packet in packets if packet.asked_s < until_s]
    away_m = {row["device"]: row["distance_m"] for row in tables.get("links", ())}
    return Scene(
        label,
        {server: [name for name in devices if homes[name] == server] for server in servers},
        {host: _told(away_m.get(host), speeds.get(host)) for host in hosts},
        len(every),
        packets,
        _work([row for row in tables["computes"] if row["start_s"] < until_s], hosts, until_s),
        [(row["at_s"], row["accuracy"]) for row in tables["evals"] if row["at_s"] <= until_s],
        until_s,
        _still_s(packets, until_s),
    )


def _speeds(computes: Sequence[Row]) -> dict[str, float]:
    """Return the FLOP/s at which each host computed last, codecs aside."""
    return {
        row["host"]: row["flops"] / (row["end_s"] - row["start_s"])
        for row in computes
        if row["end_s"] > row["start_s"] and row["outcome"] == "done" and row["what"] not in CODEC_WORK
    }


def _spread(names: Sequence[str], most: int) -> Sequence[str]:
    """Return at most so many of `names`, the first and the last among them, evenly apart."""
    if len(names) <= most:
        return names
    return [names[round(place * (len(names) - 1) / (most - 1))] for place in range(most)]


def _homes(tables: Tables, devices: Sequence[str]) -> dict[str, str]:
    """Return the server of each device: the one that it learns with, or sends to first."""
    homes = {row["device"]: row["server"] for row in tables.get("links", ())}
    for row in tables["transfers"]:
        for one, other in ((row["src"], row["dst"]), (row["dst"], row["src"])):
            if is_server(other) and other != EVERYBODY:
                homes.setdefault(one, other)
    return {name: homes.get(name) or SERVER for name in devices}


def _servers(tables: Tables, homes: Iterable[str]) -> list[str]:
    """Return the servers that are shown: those of the devices, and others that were at work, by name."""
    first = sorted({*homes})
    others = sorted({row["host"] for row in tables["computes"] if is_server(row["host"])} - {*first})
    return [*first, *others[: max(SERVERS - len(first), 0)]]


def _packets(tables: Tables, homes: Mapping[str, str]) -> Iterator[Packet]:
    """Yield what the shown devices, and servers among each other, sent; a multicast once for each device."""
    kinds = kinds_of(tables)
    for row in sorted(tables["transfers"], key=lambda row: (row["asked_s"], row["id"])):
        ends = [row["dst"]] if row["dst"] != EVERYBODY else [n for n in homes if homes[n] == row["src"]]
        model = kinds.get(row["id"], "").startswith(("model", "edge"))
        for dst in ends:
            between = is_server(row["src"]) and is_server(dst)
            if not between and row["src"] not in homes and dst not in homes:
                continue
            way = "between" if between else "up" if is_server(dst) else "down"
            start_s = row["end_s"] if row["start_s"] is None else row["start_s"]
            times = (row["asked_s"], start_s, row["end_s"])
            lost = row["outcome"] != "delivered"
            yield Packet(row["src"], dst, way, model, row["payload_bytes"], *times, lost)


def _until_s(tables: Tables, packets: Sequence[Packet]) -> float:
    """Return the end of the run, or of as many rounds as have few enough packets, or of these packets."""
    ends = (row["end_s"] for name in ("transfers", "computes") for row in tables[name])
    end_s = max([*ends, *(row["at_s"] for row in tables["evals"])], default=0.0)
    if end_s <= 0.0:
        raise BadInput("nothing happened in this run that a picture could show")
    if len(packets) <= PACKETS:
        return float(end_s)
    full_s = packets[PACKETS].asked_s
    rounds = (float(row["at_s"]) for row in tables["evals"] if 0.0 < row["at_s"] <= full_s)
    return max(rounds, default=full_s)


def _told(distance_m: float | None, flops: float | None) -> str:
    """Return ``0.15 GFLOP/s, 503 m away``, as far as it is known."""
    speed = "" if flops is None else f"{amount(flops / 1e9)} GFLOP/s"
    return ", ".join(filter(None, [speed, f"{distance_m:.0f} m away" if distance_m else ""]))


def _work(computes: Sequence[Row], hosts: Sequence[str], until_s: float) -> dict[str, list[Work]]:
    """Return when each host computed: stretches of one kind as one where they touch.

    Where there are more than can be shown, those as well that are a little apart.
    """
    apart_s = 0.0
    while True:
        work = {host: _joined([row for row in computes if row["host"] == host], apart_s) for host in hosts}
        if sum(map(len, work.values())) <= WORK:
            return work
        apart_s = max(2.0 * apart_s, until_s / 4096)


def _joined(computes: Sequence[Row], apart_s: float) -> list[Work]:
    joined: dict[bool, list[Work]] = {True: [], False: []}
    for row in sorted(computes, key=lambda row: (row["start_s"], row["end_s"])):
        of_kind = joined[row["what"] in CODEC_WORK]
        if not row["start_s"] < row["end_s"]:
            continue
        if of_kind and row["start_s"] <= of_kind[-1].to_s + apart_s:
            before = of_kind.pop()
            of_kind.append(replace(before, to_s=max(before.to_s, row["end_s"])))
        else:
            of_kind.append(Work(row["start_s"], row["end_s"], row["what"] in CODEC_WORK))
    return sorted([*joined[True], *joined[False]], key=lambda work: work.from_s)


def _still_s(packets: Sequence[Packet], until_s: float) -> float:
    """Return an instant at which the most packets are on their way, the middle of the first such stretch."""
    changes: dict[float, int] = defaultdict(int)
    for packet in packets:
        if packet.start_s < packet.end_s:
            changes[packet.start_s] += 1
            changes[packet.end_s] -= 1
    best, best_s, count = 0, 0.5 * until_s, 0
    instants = sorted(changes)
    for at_s, next_s in pairwise(instants):
        count += changes[at_s]
        if count > best and next_s <= until_s:
            best, best_s = count, 0.5 * (at_s + next_s)
    return best_s
