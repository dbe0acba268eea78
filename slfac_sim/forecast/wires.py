"""What `check` says of a topology: its graph as text, and which links limit devices that all send."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping

from slfac_sim.analysis import graph
from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.format import listed, quantity
from slfac_sim.analysis.links import limiting
from slfac_sim.analysis.structure import wire_of
from slfac_sim.forecast.air import Rush
from slfac_sim.network import Survey
from slfac_sim.simulation.networks import air_rows

_MOST_LINES = 24  # of the graph; --json has it whole
_MOST_ROUTES = 6


def graph_lines(survey: Survey) -> Iterator[str]:
    """Yield the graph of a network with wires, as text."""
    lines = list(graph.text_of(graph.graph_of(Offered("", **air_rows(survey)))))
    yield from lines[:_MOST_LINES]
    if len(lines) > _MOST_LINES:
        yield f"{len(lines) - _MOST_LINES} lines more: --json has all wires"


def route_lines(survey: Survey) -> Iterator[str]:
    """Yield the way from each station to the server of its devices: its wires, and their latency together."""
    home = {link.station: link.server for link in survey.links}
    latency_s = {wire.name: wire.latency_s for wire in survey.wires}
    ways: dict[tuple[str, ...], list[str]] = {}
    for route in survey.routes:
        if home.get(route.src) == route.dst:
            wires = [wire_of(link) for link in route.links if wire_of(link) in latency_s]
            ways.setdefault((route.dst, *wires), []).append(route.src)
    for (server, *wires), stations in list(ways.items())[:_MOST_ROUTES]:
        latency_ms = 1e3 * sum(latency_s[wire] for wire in wires)
        yield f"{listed(stations)} -> {server}: {', '.join(wires)}, {latency_ms:.3g} ms"
    if len(ways) > _MOST_ROUTES:
        yield f"{len(ways) - _MOST_ROUTES} routes more: --json has them"


def limit_lines(survey: Survey, together: Mapping[str, Rush]) -> Iterator[str]:
    """Yield for each direction which links limit the rates while all devices send at once, the most first."""
    leading_bps = air_before(survey)
    capacity_bps = capacities(survey)
    for way, rush in together.items():
        largest_first = dict(Counter(rush.limited_s).most_common())
        if told := limiting(largest_first, sum(largest_first.values())):
            first = next(iter(largest_first))
            yield f"{way}: {told} of the time{_of_wire(first, capacity_bps, leading_bps)}"


def limiting_wires(survey: Survey, together: Mapping[str, Rush]) -> str:
    """Return which wires limit while all devices send at once, both directions together, in words."""
    wires, limited_s = capacities(survey), Counter[str]()
    for rush in together.values():
        limited_s.update({link: s for link, s in rush.limited_s.items() if link in wires})
    return limiting(dict(limited_s.most_common()), math.fsum(limited_s.values()))


def _of_wire(link: str, capacity_bps: Mapping[str, float], leading_bps: Mapping[str, float]) -> str:
    if link not in capacity_bps:
        return ""
    figures = (quantity(of[link], "bit/s") for of in (capacity_bps, leading_bps))
    return " ({} for air that could carry {})".format(*figures)


def capacities(survey: Survey) -> dict[str, float]:
    """Return the capacity of each direction of a wire."""
    return graph.capacities(air_rows(survey)["wires"])


def air_before(survey: Survey) -> dict[str, float]:
    """Return for each direction of a wire what the air on either side carries, as the survey has it.

    It is the sum over lanes of the mean rate of their devices in the lane's part of the time, on the routes
    between devices and their servers.
    """
    home = {link.station: link.server for link in survey.links}
    sums: Counter[str] = Counter()
    for route in survey.routes:
        for way, station, server in (("up", route.src, route.dst), ("down", route.dst, route.src)):
            if home.get(station) == server:
                lane_bps = _lane_bps(survey, station, way)
                sums.update(dict.fromkeys(route.links, lane_bps))
    return dict(sums)


def _lane_bps(survey: Survey, station: str, way: str) -> float:
    """Return what all devices of a station have of one direction, wires left aside."""
    there = {link.device for link in survey.links if link.station == station}
    one = survey.access[station.partition("/")[0]]
    rates_bps: list[float] = [getattr(link, f"{way}_rate_bps") for link in one.links if link.device in there]
    share: float = getattr(one, f"{way}_share")
    return share * math.fsum(rates_bps) / len(rates_bps)
