"""The network: what the air offers to whom, who stands and goes where, the wires behind it and their load."""

from collections.abc import Iterator, Sequence

import numpy as np

from slfac_sim.analysis.air import TOO_OLD, Offered, offered
from slfac_sim.analysis.format import one_decimal, quantity
from slfac_sim.analysis.links import Load, loads
from slfac_sim.analysis.rates_over_time import Series, rates_over_time
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Table, Text
from slfac_sim.analysis.report.lines import titled
from slfac_sim.analysis.report.many import Column, few_or_quantiles
from slfac_sim.analysis.report.maps import maps
from slfac_sim.analysis.report.ways import ways
from slfac_sim.analysis.report.wires import graph, links_table
from slfac_sim.analysis.rows import rows_if_there, rows_of
from slfac_sim.analysis.structure import Row
from slfac_sim.analysis.tracks import tracks_of
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run

TITLE = "Network"
_MOST_AIRS = 40  # access networks in the table
_WAYS = {"up": "var(--up)", "down": "var(--down)"}


def blocks(run: Run) -> Iterator[Block]:
    """Yield access networks, maps, ways, wires, then the tables of links and of devices."""
    there = offered(run)
    if not there.air or not there.links:
        yield Text(TOO_OLD)
        return
    used = _loads(run, there)
    yield _airs(there)
    yield from maps(there)
    moved = tracks_of(run)
    if moved is not None:
        yield from ways(moved)
    yield from graph(there, used)
    yield _rates(there)
    if any((there.rate_bps(way, "best") > there.rate_bps(way)).any() for way in _WAYS):
        yield _over_time(rates_over_time(run))
    yield from links_table(there, used)
    names = [link["device"] for link in there.links]
    yield from few_or_quantiles("Devices", "device", names, _columns(there))


def _loads(run: Run, there: Offered) -> Sequence[Load]:
    tables = rows_if_there(run, ("wires", "link_use"))
    if not there.wires:
        return []
    until_s = max((row["end_s"] for row in rows_of(run, ("transfers",))["transfers"]), default=0.0)
    return loads(tables, until_s)


def _airs(there: Offered) -> Table:
    """Return the access networks, one a row; without the columns in which none has anything."""
    columns: dict[str, list[Cell]] = {name: [] for name in _AIR}
    shown = there.air[:_MOST_AIRS]
    for row in shown:
        links = [link for link in there.links if link["access"] == row["access"]]
        for name, cell in zip(_AIR, _air(row, links), strict=True):
            columns[name].append(cell)
    kept = [name for name, own in columns.items() if any(cell != cells.NONE for cell in own)]
    more = f", {_MOST_AIRS} of {len(there.air)}" if len(there.air) > _MOST_AIRS else ""
    rows = list(zip(*(columns[name] for name in kept), strict=True))
    return Table(f"Access networks{more}", kept, rows)


_AIR = (
    "access",
    "devices",
    "stations",
    "medium",
    "duplex",
    "time up",
    "time down",
    "latency",
    "multicast",
    "fades every",
)


def _air(row: Row, links: Sequence[Row]) -> list[Cell]:
    return [
        cells.said(row["access"]) if row["access"] else cells.NONE,
        cells.whole(len(links)),
        cells.whole(len({link["station"] for link in links if link["station"]}) or None),
        cells.said(row["medium"]),
        cells.said(row["duplex"]),
        cells.share(row["up_share"], 0),
        cells.share(row["down_share"], 0),
        cells.said(_latency(row["latency_s"])),
        cells.measured(row["multicast_rate_bps"], "bit/s"),
        cells.seconds(row["coherence_s"]),
    ]


def _latency(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1e3 * seconds:.3g} ms"


def _rates(there: Offered) -> Chart:
    """Return the rates of all devices, slowest first, in each direction."""
    traces, said = [], []
    for way, colour in _WAYS.items():
        mbps = np.sort(there.rate_bps(way)) / 1e6
        rank = list(range(1, len(mbps) + 1))
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if len(mbps) <= 200 else "lines",
                "name": way,
                "x": rank,
                "y": mbps.tolist(),
                "line": {"color": colour, "dash": "solid" if way == "up" else "dash"},
                "marker": {"size": 5},
                "hovertemplate": "%{y:.4g} Mbit/s<extra>%{fullData.name}</extra>",
            }
        )
        low, middle, high = (quantity(float(np.quantile(mbps, q)) * 1e6, "bit/s") for q in (0.0, 0.5, 1.0))
        said.append(f"{way} {low} to {high}, median {middle}")
    layout = titled("devices, the slowest first", "rate (Mbit/s)")
    layout["yaxis"] |= {"rangemode": "tozero"}
    return Chart(
        "Rates of devices",
        f"A device {there.alone}, in the mean over time: {'; '.join(said)}.",
        traces,
        layout,
    )


def _over_time(rates: Series) -> Chart:
    """Return what each direction carried over time."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": way,
            "x": rates.edges_s.round(6).tolist(),
            "y": [*(mbps := (rates.total_bps[way] / 1e6).round(6).tolist()), *mbps[-1:]],
            "line": {"color": colour, "dash": "solid" if way == "up" else "dash", "shape": "hv"},
            "hovertemplate": "%{x:.4~g} s: %{y:.4g} Mbit/s<extra>%{fullData.name}</extra>",
        }
        for way, colour in _WAYS.items()
    ]
    layout = titled("simulated time (s)", "carried (Mbit/s)")
    layout["yaxis"] |= {"rangemode": "tozero"}
    said = (
        "What all transfers together carried in each sixtieth of the run, the bits of each spread evenly from"
        " its first to its last: less where nobody sent, and where the air gave less."
    )
    return Chart("Rates over time", said, traces, layout)


def _columns(there: Offered) -> list[Column]:
    """Return what is known of each device's link, its mean rate up last."""
    texts = {name: [str(link[name]) for link in there.links] for name in ("station", "access", "server")}
    several = [name for name, values in texts.items() if len(set(values)) > 1]
    known = [name for name in _KNOWN if _tells(there.column(name))]
    return [
        *(Column(name, texts[name], cells.said) for name in several),
        *(Column(_KNOWN[name][0], there.column(name).tolist(), _KNOWN[name][1]) for name in known),
        Column("latency", there.column("latency_s").tolist(), lambda s: Cell(_latency(s), s)),
        *(Column(f"rate {way}", there.rate_bps(way).tolist(), _rate) for way in ("down", "up")),
    ]


def _tells(column: Floats) -> bool:
    """Return whether a column has anything to tell: a network without places has distances of 0."""
    known = column[np.isfinite(column)]
    return bool((known != 0.0).any())


def _metres(value: float) -> Cell:
    return cells.NONE if value != value else Cell(f"{one_decimal(value)} m", value)


def _decibels(value: float) -> Cell:
    return cells.NONE if not np.isfinite(value) else Cell(f"{value:.1f} dB", value)


def _rate(value: float) -> Cell:
    return cells.measured(value, "bit/s")


_KNOWN = {
    "distance_m": ("distance", _metres),
    "up_snr_db": ("SNR up", _decibels),
    "down_snr_db": ("SNR down", _decibels),
}
