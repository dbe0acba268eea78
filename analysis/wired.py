"""What has crossed each wire until given times, from the rows of a run alone."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from slfac_sim.analysis.links import Crossed
from slfac_sim.analysis.structure import Tables, wire_of


def wired_bytes(tables: Tables, instants_s: Sequence[float]) -> dict[str, list[int]]:
    """Return for each wire the payload bytes that had crossed it, either way, until each of `instants_s`.

    Those of transfers that were delivered; a multicast counts once on each wire. Empty without wires.
    """
    crossed: dict[str, list[tuple[float, int]]] = {row["name"]: [] for row in tables.get("wires", ())}
    ways = Crossed(tables)
    for transfer in tables["transfers"] if crossed else ():
        if transfer["outcome"] == "delivered":
            for wire in {wire_of(link) for link in ways.links(transfer)} & crossed.keys():
                crossed[wire].append((transfer["end_s"], transfer["payload_bytes"]))
    return {wire: _until(sorted(moments), instants_s) for wire, moments in crossed.items()}


def _until(moments: Sequence[tuple[float, int]], instants_s: Sequence[float]) -> list[int]:
    ends_s, sums = [at_s for at_s, _ in moments], [0, *accumulate(nbytes for _, nbytes in moments)]
    return [sums[bisect_right(ends_s, at_s)] for at_s in instants_s]
