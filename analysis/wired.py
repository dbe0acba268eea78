"""What has crossed each wire until given times, from the rows of a run alone."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from slfac_sim.analysis.structure import EVERYBODY, Row, Tables, device_of, direction, wire_of


def wired_bytes(tables: Tables, instants_s: Sequence[float]) -> dict[str, list[int]]:
    """Return for each wire the payload bytes that had crossed it, either way, until each of `instants_s`.

    Those of transfers that were delivered; a multicast counts once on each wire. Empty without wires.
    """
    routes, ends = _routes(tables), {row["device"]: row for row in tables.get("links", ())}
    crossed: dict[str, list[tuple[float, int]]] = {row["name"]: [] for row in tables.get("wires", ())}
    for transfer in tables["transfers"] if crossed else ():
        if transfer["outcome"] == "delivered":
            for wire in {wire for pair in _pairs(transfer, ends) for wire in routes[pair]}:
                crossed[wire].append((transfer["end_s"], transfer["payload_bytes"]))
    return {wire: _until(sorted(moments), instants_s) for wire, moments in crossed.items()}


def _routes(tables: Tables) -> Mapping[tuple[str, str], list[str]]:
    """Return the wires between two nodes, of which the first is no server unless both are."""
    names = {row["name"] for row in tables.get("wires", ())}
    routes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in tables.get("routes", ()):
        if wire_of(row["link"]) in names:
            routes[row["src"], row["dst"]].append(wire_of(row["link"]))
    return routes


def _pairs(transfer: Row, ends: Mapping[str, Row]) -> Iterable[tuple[str, str]]:
    """Yield the nodes between which a transfer goes: several of a multicast."""
    if direction(transfer) == "between":
        yield transfer["src"], transfer["dst"]
        return
    is_multicast = transfer["dst"] == EVERYBODY
    server = transfer["src" if direction(transfer) == "down" else "dst"]
    mine = (name for name, row in ends.items() if row["server"] == server)
    for device in mine if is_multicast else [device_of(transfer)]:
        yield ends[device]["station"] or ends[device]["access"], server


def _until(moments: Sequence[tuple[float, int]], instants_s: Sequence[float]) -> list[int]:
    ends_s, sums = [at_s for at_s, _ in moments], [0, *accumulate(nbytes for _, nbytes in moments)]
    return [sums[bisect_right(ends_s, at_s)] for at_s in instants_s]
