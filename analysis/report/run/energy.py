"""What hosts drew energy for, over the run and over the hosts."""

from collections.abc import Iterator, Mapping, Sequence

from slfac_sim.analysis.energy import PARTS, Bars, Drawn, drawn, single, together
from slfac_sim.analysis.format import quantity, share, unit_of
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Table
from slfac_sim.analysis.report.lines import bars, line, look, titled
from slfac_sim.analysis.report.many import Column, few_or_quantiles
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.ledger.folder import Run

TITLE = "Energy"


def blocks(run: Run) -> Iterator[Block]:
    """Yield what all devices and the servers drew, what single devices did, and when."""
    found = drawn(run)
    if found is None:
        return
    yield _stack("Energy of all devices, and of servers", together(found))
    if any(_whole(parts) for _, parts in single(found)):
        yield _stack("Energy of single devices", single(found))
    yield from _over_time(run)
    yield from few_or_quantiles("Hosts", "host", list(found.hosts), _columns(found))


def _whole(parts: Mapping[str, float]) -> float:
    return sum(parts.values())


def _stack(title: str, hosts: Bars) -> Chart:
    factor, unit = unit_of([_whole(parts) for _, parts in hosts], "J")
    names = [name for name, _ in hosts]
    said = f"%{{y}}: %{{x:.4g}} {unit}"
    traces = [
        bars(part, [parts[part] / factor for _, parts in hosts], names, look(place), said, flat=True)
        for place, part in enumerate(PARTS)
    ]
    layout = titled(f"energy drawn in the whole run ({unit})", "", barmode="stack")
    layout["yaxis"] |= {"autorange": "reversed", "automargin": True}
    summary, table = " ".join(map(_sentence, hosts)), _table(f"{title}, by part", hosts)
    return Chart(title, summary, traces, layout, table, height_px=150 + 36 * len(hosts))


def _sentence(host: tuple[str, Mapping[str, float]]) -> str:
    name, parts = host
    whole = _whole(parts)
    most = max(parts, key=lambda part: parts[part])
    of = f", most of it ({share(parts[most] / whole, 3)}) for {most}" if whole else ""
    return f"{name}: {quantity(whole, 'J')}{of}."


def _table(title: str, hosts: Bars) -> Table:
    rows = [
        [
            cells.said(name),
            *(cells.measured(parts[part], "J") for part in PARTS),
            cells.measured(_whole(parts), "J"),
        ]
        for name, parts in hosts
    ]
    return Table(title, ("host", *PARTS, "all"), rows)


def _over_time(run: Run) -> Iterator[Chart]:
    """Yield what had been drawn at each evaluation."""
    spent = rows_if_there(run, ("spent",))["spent"]
    if len(spent) < 2:
        return
    at_s = [row["at_s"] for row in spent]
    lines = {"all devices": "devices_j", "servers and stations": "server_j"}
    factor, unit = unit_of((row[name] for row in spent for name in lines.values()), "J")
    traces = [
        line(who, at_s, [row[name] / factor for row in spent], place, f"%{{x:.1f}} s: %{{y:.4g}} {unit}")
        for place, (who, name) in enumerate(lines.items())
    ]
    ends = ", ".join(f"{who} {quantity(spent[-1][name], 'J')}" for who, name in lines.items())
    layout = titled("simulated time (s)", f"energy drawn so far ({unit})")
    yield Chart("Energy over simulated time", f"At the last evaluation: {ends}.", traces, layout)


def _columns(found: Drawn) -> Sequence[Column]:
    parts = [(part, [own[part] for own in found.hosts.values()]) for part in PARTS]
    wholes = [_whole(own) for own in found.hosts.values()]
    return [Column(name, values, _joules) for name, values in [*parts, ("all", wholes)]]


def _joules(value: float) -> Cell:
    return cells.measured(value, "J")
