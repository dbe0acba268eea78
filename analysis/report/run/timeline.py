"""What devices, servers, the air and wires did over the whole run, to be scrubbed."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from math import fsum
from typing import Any

from slfac_sim.analysis.air import DIRECTIONS
from slfac_sim.analysis.air_use import AirLane, AirUse, air_use, busy_lanes, lane_name
from slfac_sim.analysis.days import (
    LANES,
    WAITS,
    Stretch,
    days_of,
    fastest_first,
    lane_of,
    speeds_flops,
    stretches,
)
from slfac_sim.analysis.device_days import DeviceDays
from slfac_sim.analysis.format import count, fixed_percent, listed
from slfac_sim.analysis.graph import capacities
from slfac_sim.analysis.links import loads_over_time
from slfac_sim.analysis.report.blocks import Block, Chart, Crowd, Lane, Table, Timeline
from slfac_sim.analysis.report.cells import said, share
from slfac_sim.analysis.report.crowd import crowd
from slfac_sim.analysis.report.lanes import FEW, chosen, chosen_words, served, thinned
from slfac_sim.analysis.report.lines import DASHES, titled
from slfac_sim.analysis.report.parts import LANE_LOOKS
from slfac_sim.analysis.rows import recorded, rows_if_there, rows_of
from slfac_sim.analysis.structure import Row, Tables
from slfac_sim.ledger.folder import Run

TITLE = "The whole run"
DOING = dict(
    zip(
        LANES,
        (
            "computing",
            "encoding or decoding",
            "sending, or waiting to send",
            "receiving, or waiting to receive",
            "the server works",
            "waiting for others",
        ),
        strict=True,
    )
)
_WAYS = {"up": ("busy, up", "var(--up)"), "down": ("busy, down", "var(--down)")}
_WIRE = ("busy wire", "var(--series-7)")
_LINK_LOOKS = (*_WAYS.values(), _WIRE)
_ALSO = "also while others have the air or its rate is 0"
_NOTHING_BPS = 1.0  # what differences of loads leave
_MOST_AIR = 4  # access networks whose air is drawn over time, the busiest


def blocks(run: Run) -> Iterator[Block]:
    """Yield what hosts did, what links carried, and how busy the air was."""
    transfers = rows_of(run, ("transfers",))["transfers"]
    computes = rows_of(run, ("computes",))["computes"]
    to_s = max((row["end_s"] for rows in (transfers, computes) for row in rows), default=0.0)
    if to_s <= 0.0:
        return
    yield _hosts(run, to_s)
    links = _links(run)
    if links:
        yield _links_timeline(links, to_s)
        yield _air(air_use(run))


def _hosts(run: Run, to_s: float) -> Timeline:
    places = {lane: place for place, lane in enumerate(LANES)}
    computes, days = recorded(run)["computes"], days_of(run)
    order = fastest_first(days, speeds_flops(computes))
    spent_s = days.spent_s(lane_of, LANES)
    servers = [_lane(name, own, places) for name, own in served(computes, 0.0, to_s).items()]
    shown = chosen(order, sorted(order, key=lambda device: spent_s[device][WAITS]))
    lanes = [*servers, *(_lane(device, stretches(days[device]), places) for device in shown)]
    many = f" Above, the share of all {len(order):,} that does what." if len(order) > FEW else ""
    who = chosen_words(shown, order, "that waited least for others")
    return Timeline(
        "What devices and servers did",
        f"{count(len(servers), 'server')}. {who}.{many} Transfers count from when they are asked for,"
        f" {_ALSO}.",
        [(DOING[lane], LANE_LOOKS[lane]) for lane in LANES],
        [thinned(lane, len(LANES), to_s) for lane in lanes],
        0.0,
        to_s,
        [_crowd(days, places, to_s)] if many else (),
    )


def _crowd(days: DeviceDays, places: Mapping[str, int], to_s: float) -> Crowd:
    spans = ((one.from_s, one.to_s, places[lane_of(one)], devices) for one, devices in days.counted())
    return crowd("all devices", len(days), spans, len(LANES), 0.0, to_s)


def _lane(name: str, day: Sequence[Stretch], places: Mapping[str, int]) -> Lane:
    return Lane(name, [(from_s, to_s, places[doing]) for from_s, to_s, doing in day])


def _links(run: Run) -> list[Lane]:
    """Return when each direction of the air, and each wire, had a transfer under way; the busiest."""
    lanes = []
    for (access, way), busy in busy_lanes(run).items():
        look = _LINK_LOOKS.index(_WAYS[way])
        spans = zip(busy.from_s.tolist(), busy.to_s.tolist(), strict=True)
        lanes.append(Lane(lane_name((access, f"{way}link")), [(*span, look) for span in spans]))
    wires = rows_if_there(run, ("wires", "routes", "links"))
    if wires["wires"]:
        lanes += _wires(wires | rows_of(run, ("transfers",)), wires["wires"])
    return sorted((lane for lane in lanes if lane.spans), key=_busy_s, reverse=True)[:FEW]


def _wires(tables: Tables, wires: Sequence[Row]) -> Iterator[Lane]:
    """Yield when each link of `wires` carried something."""
    own, look = capacities(wires), _LINK_LOOKS.index(_WIRE)
    changes = (change for change in loads_over_time(tables) if change[0] in own)
    for link, steps in groupby(changes, key=lambda change: change[0]):
        spans = []
        for (_, from_s, load_bps), (_, to_s, _) in pairwise(steps):
            if load_bps > _NOTHING_BPS:
                spans.append((from_s, to_s, look))
        yield Lane(link, spans)


def _links_timeline(lanes: Sequence[Lane], to_s: float) -> Timeline:
    used = [f"{lane.name} {fixed_percent(_busy_s(lane) / to_s)}" for lane in lanes]
    busy = f"A link is busy while at least one transfer is under way on it, {_ALSO}."
    summary = f"{busy} Busy, of the run: {listed(used)}."
    there = sorted({look for lane in lanes for *_, look in lane.spans})
    shown = [
        Lane(lane.name, [(from_s, to_s, there.index(look)) for from_s, to_s, look in lane.spans])
        for lane in lanes
    ]
    looks = [_LINK_LOOKS[look] for look in there]
    return Timeline(
        "When links had something under way",
        summary,
        looks,
        [thinned(lane, len(looks), to_s) for lane in shown],
        0.0,
        to_s,
    )


def _busy_s(lane: Lane) -> float:
    return fsum(to_s - from_s for from_s, to_s, _ in lane.spans)


def _air(use: AirUse) -> Chart:
    """Return the busy part of each bin of time, for each direction of the busiest access networks."""
    accesses = dict.fromkeys(access for access, _ in use.mean)
    by_use = sorted(accesses, key=lambda access: -max(use.mean[access, way] for way in DIRECTIONS))
    lanes = [lane for lane in use.mean if lane[0] in by_use[:_MOST_AIR]]
    told = ", ".join(f"{lane_name(lane)} {fixed_percent(use.mean[lane])}" for lane in lanes)
    some = f" Shown are {_MOST_AIR} of {len(accesses)} access networks." if len(accesses) > _MOST_AIR else ""
    layout = titled("simulated time (s)", "busy part of the time")
    layout["yaxis"] |= {"range": [0, 1.02], "tickformat": ".0%"}
    return Chart(
        "How busy the air was",
        f"The part of the time in which a direction had at least one transfer under way, {_ALSO};"
        f" of the whole run: {told}.{some}",
        [_steps(use, lane, by_use.index(lane[0])) for lane in lanes],
        layout,
        _means(use),
    )


def _steps(use: AirUse, lane: AirLane, place: int) -> dict[str, Any]:
    """Return a direction's busy part as a line of steps, in the colour of its way."""
    parts = use.busy[lane].round(4).tolist()
    return {
        "type": "scatter",
        "mode": "lines",
        "name": lane_name(lane),
        "x": use.edges_s.round(6).tolist(),
        "y": [*parts, *parts[-1:]],
        "line": {"shape": "hv", "width": 1.5, "color": _WAYS[lane[1]][1], "dash": DASHES[place]},
        "hovertemplate": "%{x:.4~g} s: %{y:.0%}<extra>%{fullData.name}</extra>",
    }


def _means(use: AirUse) -> Table:
    rows = [
        (said(lane_name(lane)), share(use.mean[lane], 1), share(float(parts.max()), 1))
        for lane, parts in use.busy.items()
    ]
    return Table(
        "Each direction of the air", ("direction", "busy, of the run", "most, of a sixtieth of it"), rows
    )
