"""One round as a waterfall: who did what when, and the critical path through it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from slfac_sim.analysis.attribution import attribute, cut, hosts_s
from slfac_sim.analysis.critical_path import Segment
from slfac_sim.analysis.days import LANES, RoundDays, Stretch, round_days, spent_s
from slfac_sim.analysis.format import listed, one_decimal
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Table
from slfac_sim.analysis.report.cells import CLOCK_S, measured, said, seconds
from slfac_sim.analysis.report.lanes import chosen, chosen_words, served
from slfac_sim.analysis.report.lines import titled
from slfac_sim.analysis.report.many import Column, few_or_quantiles
from slfac_sim.analysis.report.parts import LANE_LOOKS
from slfac_sim.analysis.rows import recorded
from slfac_sim.analysis.structure import EVERYBODY
from slfac_sim.ledger.folder import Run

TITLE = "A round"
PATH = "critical path"
_WORK = {"up": "uplink", "down": "downlink", "between": "between servers"}
_MOST_BARS, _MOST_ROWS = 6000, 200
_ROW_PX, _FRAME_PX = 18, 150

Days = Mapping[str, Sequence[Stretch]]


def blocks(run: Run) -> Iterator[Block]:
    """Yield the second round, the first that begins with an average handed out, or the first of one."""
    shown, tables = round_days(run), recorded(run)
    if not tables["computes"] or shown.to_s <= shown.from_s:
        return
    path = cut(attribute(tables).path, shown.from_s, shown.to_s)
    devices = chosen(list(shown.days), hosts_s(path))
    servers = served(tables["computes"], shown.from_s, shown.to_s)
    yield _waterfall(shown, devices, servers, path)
    yield from _days(shown, path)


def _name(shown: RoundDays) -> str:
    return "The whole run" if shown.round is None else f"Round {shown.round}"


def _waterfall(shown: RoundDays, devices: Sequence[str], servers: Days, path: Sequence[Segment]) -> Chart:
    rows: dict[str, Sequence[Stretch]] = {**servers, **{device: shown.days[device] for device in devices}}
    until_s = _drawn_until_s(rows, shown.to_s)
    traces = [_bars(lane, rows, until_s) for lane in LANES]
    traces = [trace for trace in traces if trace["x"]] + _thread(path, rows, until_s)
    layout = titled("simulated time (s)", "", barmode="overlay", bargap=0.15)
    layout["xaxis"] |= {"range": [shown.from_s, until_s]}
    layout["yaxis"] = {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": [*rows],
        "autorange": "reversed",
    }
    return Chart(
        f"{_name(shown)}: who did what when",
        _summary(shown, devices, path, until_s),
        traces,
        layout,
        _steps(shown, path),
        _FRAME_PX + _ROW_PX * len(rows),
    )


def _drawn_until_s(rows: Days, to_s: float) -> float:
    """Return until when stretches are drawn: to the end, or to where there are as many as a chart bears."""
    ends = sorted(end_s for day in rows.values() for _, end_s, _ in day)
    if len(ends) <= _MOST_BARS:
        return to_s
    return max((end_s for end_s in ends[:_MOST_BARS] if end_s < ends[_MOST_BARS]), default=ends[0])


def _bars(lane: str, rows: Days, until_s: float) -> dict[str, Any]:
    own = [
        (name, from_s, to_s)
        for name, day in rows.items()
        for from_s, to_s, doing in day
        if doing == lane and to_s <= until_s
    ]
    names, from_s, to_s = map(list, zip(*own, strict=True)) if own else ([], [], [])
    return {
        "type": "bar",
        "orientation": "h",
        "name": lane,
        "y": names,
        "base": [round(at_s, 6) for at_s in from_s],
        "x": [round(end_s - begin_s, 6) for begin_s, end_s in zip(from_s, to_s, strict=True)],
        "marker": {"color": LANE_LOOKS[lane], "line": {"width": 0}},
        "hovertemplate": f"%{{y}}: {lane}<br>from %{{base:.6~g}} to %{{x:.6~g}} s<extra></extra>",
    }


def _thread(path: Sequence[Segment], rows: Days, until_s: float) -> list[dict[str, Any]]:
    """Return the critical path: thick on each host's row, thin from row to row.

    Of a multicast it is on the first row, which is a server's.
    """
    x: list[float] = []
    y: list[str] = []
    texts: list[str] = []
    for segment in path:
        host = next(iter(rows)) if segment.host == EVERYBODY else segment.host
        if host in rows and segment.to_s <= until_s and segment.to_s - segment.from_s >= CLOCK_S:
            x += [round(segment.from_s, 6), round(segment.to_s, 6)]
            y += [host, host]
            texts += 2 * [f"{segment.part}, {one_decimal(segment.to_s - segment.from_s)} s"]
    steps = {"type": "scatter", "mode": "lines", "name": PATH, "legendgroup": PATH, "connectgaps": False}
    way = {"x": x, "y": y, "line": {"color": "var(--ink)", "width": 0.5}, "hoverinfo": "skip"}
    apart = {name: _apart(values) for name, values in (("x", x), ("y", y), ("text", texts))}
    said = f"{PATH}, %{{y}}<br>%{{text}}<extra></extra>"
    thick = {**apart, "line": {"color": "var(--ink)", "width": 3}, "hovertemplate": said}
    return [{**steps, **way, "showlegend": False}, {**steps, **thick}]


def _apart(ends: Sequence[Any]) -> list[Any]:
    """Return pairs of ends with a gap after each pair."""
    return [value for place in range(0, len(ends), 2) for value in (*ends[place : place + 2], None)]


def _summary(shown: RoundDays, devices: Sequence[str], path: Sequence[Segment], until_s: float) -> str:
    length_s = shown.to_s - shown.from_s
    on_path = [f"{host} for {one_decimal(s)} s" for host, s in hosts_s(path).items() if host != EVERYBODY]
    cut = f" Drawn are its first {one_decimal(until_s - shown.from_s)} s." if until_s < shown.to_s else ""
    who = chosen_words(devices, list(shown.days), "longest on the critical path")
    return (
        f"{_name(shown)} took {one_decimal(length_s)} s. {who}."
        f" The line is the critical path: it is with {listed(on_path)}.{cut}"
    )


def _steps(shown: RoundDays, path: Sequence[Segment]) -> Table:
    """Return the critical path, stretch by stretch."""
    rows = []
    for (host, part, what), own in groupby(path, key=lambda one: (one.host, one.part, one.what)):
        segments = list(own)
        from_s, to_s = segments[0].from_s, segments[-1].to_s
        if to_s - from_s < CLOCK_S:
            continue
        who = "all devices" if host == EVERYBODY else host
        clock = [Cell(f"{at_s:.4f} s", at_s) for at_s in (from_s, to_s)]
        words = (said(who), said(part), said(_WORK.get(what, what)))
        rows.append((*clock, measured(to_s - from_s, "s"), *words))
    some = "" if len(rows) <= _MOST_ROWS else f": its first {_MOST_ROWS} stretches of {len(rows)}"
    title = f"The critical path in {_name(shown).lower()}{some}"
    return Table(title, ("from", "to", "took", "who", "part of the time", "work"), rows[:_MOST_ROWS])


def _days(shown: RoundDays, path: Sequence[Segment]) -> Iterator[Table]:
    on_path_s = hosts_s(path)
    lanes_s = {device: spent_s(day) for device, day in shown.days.items()}
    columns = [Column(lane, [own[lane] for own in lanes_s.values()], seconds) for lane in LANES]
    columns.append(Column(PATH, [on_path_s.get(device, 0.0) for device in lanes_s], seconds))
    yield from few_or_quantiles(f"{_name(shown)}, device by device", "device", list(lanes_s), columns)
