"""Lanes and wires whose levels are found by going round and round: the reference of `JoinedShare`."""

from collections.abc import Iterable, Mapping
from math import inf

from naive_share import Rated

from slfac_sim.network.engine import Flow


def level(capacity: float, rows: Iterable[tuple[float, float, float]]) -> float:
    """Return the level that fills a link of rows (weight, most, use); infinite where none does.

    A row has the bit rate weight x level, but no more than its most; a bit/s of it is `use` of the link.
    """
    rows = sorted(rows, key=lambda row: row[1] / row[0])
    held, rising = 0.0, sum(weight * use for weight, _, use in rows)
    for weight, most, use in rows:
        if held + rising * (most / weight) > capacity * (1.0 + 1e-12):
            return max(0.0, capacity - held) / rising
        held += most * use
        rising -= weight * use
    return inf


def rates_bps(
    capacities: Mapping[str, float], flows: list[tuple[float, dict[str, tuple[float, float]]]]
) -> list[float]:
    """Return the bit rates of flows (cap, {link: (weight, use)}): the least of weight x level and cap."""
    levels = dict.fromkeys(capacities, inf)
    for _ in range(100_000):
        before = dict(levels)
        for link, capacity in capacities.items():
            rows = []
            for cap_bps, links in flows:
                if link in links:
                    others = [links[other][0] * levels[other] for other in links if other != link]
                    rows.append((links[link][0], min([cap_bps, *others]), links[link][1]))
            levels[link] = level(capacity, rows)
        if all(
            levels[link] == before[link] or abs(levels[link] - before[link]) <= 1e-14 * before[link] < inf
            for link in levels
        ):
            break
    else:
        raise AssertionError("the levels do not settle")
    return [min([cap_bps, *(links[link][0] * levels[link] for link in links)]) for cap_bps, links in flows]


class NaiveJoined(Rated):
    """A share (see `Share`) of lanes of equal airtime and wires, without a trick."""

    def __init__(self, lanes: Mapping[str, float], wires: Mapping[str, float]) -> None:
        super().__init__({**lanes, **wires})

    def _served(self) -> list[tuple[Flow, float]]:
        """Return each flow that is served, with its rate in bit/s."""
        served = [flow for flow in self._flows if flow.rate_bps > 0.0]
        rows = []
        for flow in served:
            links = {name: (1.0, use) for name, use in zip(flow.path[1:], flow.consumption[1:], strict=True)}
            if flow.path[0]:
                links[flow.path[0]] = (flow.rate_bps * flow.weight, 1.0 / flow.rate_bps)
            rows.append((flow.cap_bps, links))
        return list(zip(served, rates_bps(self._capacities, rows), strict=True))
