"""What links carried and whom they limited: wires, and the media of the access networks behind them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum, nan
from typing import Any

from slfac_sim.analysis.format import count, fixed_percent
from slfac_sim.analysis.graph import capacities
from slfac_sim.analysis.structure import EVERYBODY, Row, Tables

NEEDED = ("transfers", "payloads")
WIRED = ("wires", "routes", "links", "bottlenecks", "link_use")  # what a run with wires has besides
_TOLD, _NAMED = 0.05, 4  # of the links that limited: smaller shares and further links are not told


@dataclass(frozen=True)
class Limited:
    """The transfers of one kind: how many, how long they were on their way, and what limited them.

    `kind` are the kinds of the payloads, `way_s` the time from asking to the last bit, summed, and
    `limited_s` the part of it for which each link bound the rate, the most first.
    """

    kind: str
    transfers: int
    way_s: float
    limited_s: Mapping[str, float]


@dataclass(frozen=True)
class Load:
    """What a link carried in a whole run; `capacity_bps` is NaN for a medium, whose rates are its devices'.

    `utilisation` is the part of the run in which it worked, at full capacity.
    """

    link: str
    capacity_bps: float
    carried_bits: float
    lost_bits: float
    busy_s: float
    limited_s: float
    utilisation: float


def kinds_of(tables: Tables) -> dict[int, str]:
    """Return the kinds of the payloads of each transfer, by its number."""
    kinds: dict[int, list[str]] = defaultdict(list)
    for row in tables["payloads"]:
        kinds[row["transfer"]].append(row["kind"])
    return {transfer: " + ".join(names) for transfer, names in kinds.items()}


def limits(tables: Tables) -> list[Limited]:
    """Return what limited the transfers of each kind, those that took longest together first."""
    kinds, of = kinds_of(tables), defaultdict(list)
    for row in tables["transfers"]:
        of[kinds.get(row["id"], "transfer")].append(row)
    limited: dict[int, list[Row]] = defaultdict(list)
    for row in tables["bottlenecks"]:
        limited[row["transfer"]].append(row)
    found = [_limited(kind, rows, limited) for kind, rows in of.items()]
    return sorted(found, key=lambda one: -one.way_s)


def _limited(kind: str, rows: Sequence[Row], limited: Mapping[int, Sequence[Row]]) -> Limited:
    seconds: Counter[str] = Counter()
    for row in rows:
        for bound in limited.get(row["id"], ()):
            seconds[bound["link"]] += bound["limited_s"]
    way_s = fsum(row["last_bit_s"] - row["asked_s"] for row in rows)
    return Limited(kind, len(rows), way_s, dict(seconds.most_common()))


def loads(tables: Tables, until_s: float) -> list[Load]:
    """Return what each link carried until the end, `until_s`; those that limited most first."""
    capacity_bps = capacities(tables["wires"])
    figures = [
        Load(
            link=row["link"],
            capacity_bps=capacity_bps.get(row["link"], nan),
            utilisation=row["busy_s"] / until_s if until_s > 0.0 else 0.0,
            **{name: row[name] for name in ("carried_bits", "lost_bits", "busy_s", "limited_s")},
        )
        for row in tables["link_use"]
    ]
    return sorted(figures, key=lambda load: (-load.limited_s, -load.utilisation))


class Crossed:
    """Which links transfers cross, by the routes of the ledger."""

    def __init__(self, tables: Tables) -> None:
        self._links: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in tables.get("routes", ()):
            self._links[row["src"], row["dst"]].append(row["link"])
        links = tables.get("links", ())
        self._station = {row["device"]: row["station"] for row in links}
        self._homes = {row["device"]: row["server"] for row in links}

    def links(self, transfer: Row) -> Sequence[str]:
        """Return the links on the way of a transfer; of a multicast those of all its branches, each once."""
        return list(dict.fromkeys(link for way in self.branches(transfer) for link in way))

    def branches(self, transfer: Row) -> Sequence[Sequence[str]]:
        """Return the links on the way of a transfer; of a multicast on that to each station or server."""
        src = transfer["src"]
        if transfer["dst"] != EVERYBODY:
            return [self._links.get((self._node(src), self._node(transfer["dst"])), ())]
        own = {self._station[device] for device, server in self._homes.items() if server == src}
        ends = own or set(self._homes.values()) - {src}  # a cloud sends to the servers below it
        return [self._links.get((src, end), ()) for end in sorted(ends)]

    def _node(self, host: str) -> Any:
        return self._station.get(host, host)


def loads_over_time(tables: Tables) -> Iterator[tuple[str, float, float]]:
    """Yield (link, time, bit/s) wherever the load of a link changes: its transfers at their mean rates."""
    crossed = Crossed(tables)
    changes: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in tables["transfers"]:
        length_s = row["last_bit_s"] - row["start_s"]
        if length_s > 0.0:
            branches = crossed.branches(row)
            each_bps = sent_bits(row) / length_s / max(len(branches), 1)  # a wire carries one copy
            for link in {link for way in branches for link in way}:
                changes[link][row["start_s"]].append(each_bps)
                changes[link][row["last_bit_s"]].append(-each_bps)
    for link in sorted(changes):
        load_bps = 0.0
        for at_s in sorted(changes[link]):
            load_bps = max(0.0, load_bps + fsum(changes[link][at_s]))
            yield link, at_s, load_bps


def sent_bits(transfer: Row) -> float:
    """Return the bits of a transfer; of one that was given up those that were sent, on its air."""
    if transfer["outcome"] == "delivered":
        return 8.0 * float(transfer["wire_bytes"])
    return float(transfer["airtime_s"] * transfer["rate_bps"])


def limiting(limited_s: Mapping[str, float], whole_s: float) -> str:
    """Return which links limited for which part of `whole_s`, in words: ``core a->b 63 %, a/up 37 %``.

    Small shares are left out, and of many links the first are named.
    """
    told = [(link, seconds) for link, seconds in limited_s.items() if seconds >= _TOLD * whole_s > 0.0]
    texts = [f"{link} {fixed_percent(seconds / whole_s)}" for link, seconds in told[:_NAMED]]
    if rest := told[_NAMED:]:
        part = fixed_percent(fsum(seconds for _, seconds in rest) / whole_s)
        texts.append(f"{count(len(rest), 'other')} {part}")
    return ", ".join(texts)
