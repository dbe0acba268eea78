"""Whose latency the propagation on a critical path is: of which wire or access network, or neither's."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from slfac_sim.analysis.critical_path import PROPAGATION, Segment
from slfac_sim.analysis.format import fixed_percent
from slfac_sim.analysis.links import Crossed
from slfac_sim.analysis.structure import Row, Tables, wire_of

REST = "transport and jitter"  # what no link has of itself, latencies that change among it
_TOLD = 0.05  # smaller shares are not told


def latencies_s(tables: Tables) -> dict[str, float]:
    """Return the latency of each link: of a wire its own, of a medium that of its access network."""
    wires = {row["name"]: row["latency_s"] for row in tables["wires"]}
    air = {row["access"]: row["latency_s"] for row in tables["air"]}
    links = dict.fromkeys(row["link"] for name in ("link_use", "routes") for row in tables[name])
    return {link: wires.get(wire_of(link), air.get(_access(link), 0.0)) for link in links}


def propagation_s(tables: Tables, path: Sequence[Segment]) -> dict[str, float]:
    """Return how much of the propagation on `path` each link accounts for, the most first, and the `REST`.

    A transfer crossed the links of its route, a multicast those of its longest; its air has what wires leave,
    at most the latency of the access network.
    """
    crossed, latency_s = Crossed(tables), latencies_s(tables)
    wires = {row["name"] for row in tables["wires"]}
    sent = {(row["task"], row["seq"]): row for row in tables["transfers"]}
    found: defaultdict[str, float] = defaultdict(float)
    for segment in path:
        if segment.part == PROPAGATION:
            transfer = sent[segment.task, segment.seq]
            ways = crossed.branches(transfer)
            longest = max(ways, key=lambda way: sum(latency_s[link] for link in way), default=())
            wires_first = sorted(longest, key=lambda link: wire_of(link) not in wires)
            part = (segment.to_s - segment.from_s) / (transfer["end_s"] - transfer["last_bit_s"])
            for link, own_s in _own_s(transfer, wires_first, latency_s):
                found[link] += part * own_s
    return _most_first(found)


def whose(tables: Tables, seconds: Mapping[str, float]) -> str:
    """Return ``dsl 62 %, air of a 20 %``: `seconds` by wire and access network, the most first."""
    wires = {row["name"] for row in tables["wires"]}
    sums: defaultdict[str, float] = defaultdict(float)
    for link, own_s in seconds.items():
        is_air = link != REST and wire_of(link) not in wires
        sums[f"air of {_access(link)}" if is_air else link if link == REST else wire_of(link)] += own_s
    whole_s = sum(sums.values())
    told = [(name, own_s) for name, own_s in _most_first(sums).items() if own_s >= _TOLD * whole_s > 0.0]
    return ", ".join(f"{name} {fixed_percent(own_s / whole_s)}" for name, own_s in told)


def _own_s(
    transfer: Row, links: Sequence[str], latency_s: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    """Yield each of `links`, in order, with what is its own of the time after the last bit, and the rest."""
    left_s = transfer["end_s"] - transfer["last_bit_s"]
    for link in links:
        own_s = min(latency_s[link], left_s)
        left_s -= own_s
        yield link, own_s
    yield REST, left_s if left_s > 1e-12 else 0.0


def _most_first(seconds: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


def _access(link: str) -> str:
    return link.partition("/")[0]
