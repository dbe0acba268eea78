"""The devices: what they went through, how well the model does on each, who missed rounds, who came late."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from slfac_sim.analysis.attribution import attribute
from slfac_sim.analysis.days import LANES, WAITS, days_of, fastest_first, lane_of, speeds_flops
from slfac_sim.analysis.format import amount, handovers
from slfac_sim.analysis.interruptions import handed_over
from slfac_sim.analysis.missed import missed
from slfac_sim.analysis.own_shares import own_shares
from slfac_sim.analysis.report.absences import missed_blocks, stale_blocks
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Table, Text
from slfac_sim.analysis.report.cells import NONE, measured, seconds, whole
from slfac_sim.analysis.report.device_accuracy import accuracy_blocks
from slfac_sim.analysis.report.lines import titled
from slfac_sim.analysis.report.many import Column, few_or_quantiles
from slfac_sim.analysis.report.parts import LANE_LOOKS
from slfac_sim.analysis.rows import recorded, rows_if_there
from slfac_sim.analysis.stale import stale
from slfac_sim.ledger.folder import Run

TITLE = "Devices"
_MOST_BARS = 60  # more devices stand together in one, by their speed

Lanes = Mapping[str, Mapping[str, float]]  # seconds in each lane, by device, the fastest first


def blocks(run: Run) -> Iterator[Block]:
    """Yield the devices' days, their accuracy, misses, staleness and handovers: of what there is."""
    tables, days = recorded(run), days_of(run)
    speeds = speeds_flops(tables["computes"])
    spent_s = days.spent_s(lane_of, LANES)
    lanes = {device: spent_s[device] for device in fastest_first(days, speeds)}
    if any(map(any, (own.values() for own in lanes.values()))):
        yield _days(lanes)
        yield from _table(lanes, speeds, tables["steps"])
    if shares := own_shares(run):
        yield from accuracy_blocks(shares)
    if absent := missed(run):
        yield from missed_blocks(absent, rows_if_there(run, ("misses",))["misses"], list(lanes))
    if late := stale(run):
        yield from stale_blocks(late)
    yield from _handovers(run)


def _days(lanes: Lanes) -> Chart:
    groups = [part.tolist() for part in np.array_split(list(lanes), min(len(lanes), _MOST_BARS))]
    names = [own[0] if len(own) == 1 else f"{own[0]} to {own[-1]}" for own in groups]
    traces = [
        {
            "type": "bar",
            "name": lane,
            "x": names,
            "y": [round(sum(lanes[device][lane] for device in own) / len(own), 4) for own in groups],
            "marker": {"color": LANE_LOOKS[lane]},
            "hovertemplate": f"%{{x}}: {lane} %{{y:.4~g}} s<extra></extra>",
        }
        for lane in LANES
    ]
    layout = titled("devices, the fastest first", "time of the run (s)", barmode="stack", bargap=0.05)
    layout["xaxis"] |= {"type": "category", "showticklabels": len(groups) <= 12}
    return Chart("How each device spent the run", _summary(lanes), traces, layout)


def _summary(lanes: Lanes) -> str:
    waits_s = {device: own[WAITS] for device, own in lanes.items()}
    most, least = max(waits_s, key=waits_s.__getitem__), min(waits_s, key=waits_s.__getitem__)
    together = f" {len(lanes):,} devices stand in groups of like speed." if len(lanes) > _MOST_BARS else ""
    return (
        f"{most} waited longest for others, {seconds(waits_s[most]).text}; {least} shortest,"
        f" {seconds(waits_s[least]).text}.{together}"
    )


def _table(
    lanes: Lanes, speeds: Mapping[str, float], steps: Sequence[Mapping[str, object]]
) -> Iterator[Table]:
    taken = Counter(row["device"] for row in steps)
    samples: Counter[object] = Counter()
    for row in steps:
        samples[row["device"]] += row["samples"]  # type: ignore[operator]
    columns = [
        Column("speed", [speeds.get(device, np.nan) for device in lanes], _speed),
        Column("steps", [taken[device] for device in lanes], _whole),
        Column("samples", [samples[device] for device in lanes], _whole),
        *(Column(lane, [own[lane] for own in lanes.values()], seconds) for lane in LANES),
    ]
    yield from few_or_quantiles("How devices spent the run", "device", list(lanes), columns)


def _speed(value: float) -> Cell:
    return NONE if np.isnan(value) else Cell(f"{amount(value / 1e9)} GFLOP/s", value)


def _whole(value: float) -> Cell:
    return whole(round(value))


def _handovers(run: Run) -> Iterator[Block]:
    tables = rows_if_there(run, ("handovers", "links"))
    if not tables["handovers"]:
        return
    path = attribute(recorded(run)).path
    rows = handed_over(recorded(run) | tables, path)
    counts = (sum(one.handovers for one in rows), sum(one.ping_pongs for one in rows), len(rows))
    yield Text(f"Handovers: {handovers(*counts, sum(one.interruption_s for one in rows))}.")
    columns = [
        Column("ping-pongs", [one.ping_pongs for one in rows], _whole),
        Column("interrupted", [one.interruption_s for one in rows], seconds),
        Column("under way", [one.under_way_s for one in rows], seconds),
        Column("on the critical path", [one.on_path_s for one in rows], seconds),
        Column("carried along", [one.carried_bits / 8.0 for one in rows], lambda value: measured(value, "B")),
        Column("handovers", [one.handovers for one in rows], _whole),
    ]
    yield from few_or_quantiles("Who was handed over", "device", [one.device for one in rows], columns)
