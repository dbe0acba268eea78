"""Maps of access networks for the page: stations, the range of their cells, devices by their rates."""

from collections.abc import Iterator, Mapping
from math import isfinite, log10
from typing import Any

import numpy as np

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.format import amount, count, quantity
from slfac_sim.analysis.report.blocks import Chart
from slfac_sim.foundation.arrays import Floats

MOST_MAPS = 4  # access networks; tables have all
_NAMED = 19  # stations; the names of more would hide the devices
_COLOURS = {"colorscale": "Viridis", "reversescale": True}  # fast devices are dark, as in `cell_map`
_FEW = 300  # devices whose marks are large
_WIDE = 10.0  # a larger ratio of rates is shown on a scale of logarithms
_SHAPES = {"line of sight": "circle", "no line of sight": "square", "device": "circle"}
_BAR = {"orientation": "h", "x": 0.0, "xanchor": "left", "y": 1.0, "yanchor": "bottom"} | {
    "thickness": 10,
    "len": 0.7,
    "outlinewidth": 0,
}
_STATION = {"symbol": "triangle-up", "size": 13, "color": "var(--ink)"}


def maps(offered: Offered) -> Iterator[Chart]:
    """Yield a map of each access network whose devices have places, of the first few."""
    parts = [part for row in offered.air if _placed(part := offered.within(row["access"])).any()]
    rates = np.concatenate([part.rate_bps("up")[_placed(part)] for part in parts] or [np.zeros(0)]) / 1e6
    scale = _scale(rates[rates > 0.0])
    for part in parts[:MOST_MAPS]:
        yield _map(part, scale, several=len(parts) > 1)


def _placed(run: Offered) -> Any:
    return np.isfinite(run.column("x_m")) if run.links else np.zeros(0, bool)


def _map(run: Offered, scale: Mapping[str, Any], several: bool) -> Chart:
    traces = [*_served(run), *_devices(run, scale), stations(run)]
    up = np.sort(run.rate_bps("up"))
    title = f"Map of {run.air[0]['access']}" if several else "Map"
    summary = (
        f"{count(len(run.links), 'device')} and {count(len(run.stations), 'station')};"
        f" a device alone sends at {quantity(float(up[0]), 'bit/s')} to {quantity(float(up[-1]), 'bit/s')},"
        f" median {quantity(float(np.median(up)), 'bit/s')}."
    )
    return Chart(title, summary, traces, metres(run), height_px=520)


def metres(run: Offered) -> dict[str, Any]:
    """Return a layout in which metres are as long to the east as to the north, with the cells' radii."""
    axis: dict[str, Any] = {"showgrid": True, "ticksuffix": " m"}
    radius_m = run.air[0]["radius_m"] if run.air else None
    circles = []
    if radius_m is not None and isfinite(radius_m):
        circles = [_circle(station["x_m"], station["y_m"], radius_m) for station in run.stations]
    return {
        "xaxis": {**axis, "title": {"text": "east"}},
        "yaxis": {**axis, "title": {"text": "north"}, "scaleanchor": "x", "scaleratio": 1},
        "shapes": circles,
    }


def _circle(x_m: float, y_m: float, radius_m: float) -> dict[str, Any]:
    ends = {"x0": x_m - radius_m, "x1": x_m + radius_m, "y0": y_m - radius_m, "y1": y_m + radius_m}
    return {"type": "circle", **ends, "line": {"color": "var(--faint)", "width": 1}, "layer": "below"}


def stations(run: Offered) -> dict[str, Any]:
    """Return the stations, with their names where they are few."""
    names = [station["name"] for station in run.stations]
    few = 1 < len(names) <= _NAMED
    return {
        "type": "scatter",
        "mode": "markers+text" if few else "markers",
        "name": "station",
        "x": [station["x_m"] for station in run.stations],
        "y": [station["y_m"] for station in run.stations],
        "text": [name.rpartition("/")[2] for name in names],
        "textposition": "top center",
        "marker": _STATION,
        "hovertemplate": "%{text}<extra>station</extra>",
    }


def _served(run: Offered) -> Iterator[dict[str, Any]]:
    """Yield, with several stations, lines that say who serves whom."""
    places = {station["name"]: (station["x_m"], station["y_m"]) for station in run.stations}
    served = [link for link in run.links if link["station"] in places and link["x_m"] is not None]
    if len(places) < 2 or not served:
        return
    x: list[float | None] = []
    y: list[float | None] = []
    for link in served:
        station_x, station_y = places[link["station"]]
        x += [station_x, link["x_m"], None]
        y += [station_y, link["y_m"], None]
    yield {
        "type": "scatter",
        "mode": "lines",
        "name": "is served by",
        "x": x,
        "y": y,
        "line": {"color": "var(--faint)", "width": 0.8},
        "hoverinfo": "skip",
    }


def _devices(run: Offered, scale: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    placed, los, up = _placed(run), run.column("los"), run.rate_bps("up")
    reached = placed & (up > 0.0)
    chosen = {
        "line of sight": reached & (los == 1.0),
        "no line of sight": reached & (los == 0.0),
        "device": reached & np.isnan(los),
    }
    for name, mask in chosen.items():
        if mask.any():
            marker = {
                "symbol": _SHAPES[name],
                "size": _size(run),
                **scale,
                "color": _shade(up[mask] / 1e6, scale),
            }
            yield _points(run, name, mask, {**marker, "line": {"color": "var(--ink)", "width": 0.8}})
    lost = placed & ~reached
    if lost.any():
        yield _points(run, "no coverage", lost, {"symbol": "x", "size": _size(run), "color": "var(--ink)"})


def _size(run: Offered) -> float:
    """Return the size of a mark: smaller where many would hide each other."""
    return 9.0 if len(run.links) <= _FEW else 6.0


def _points(run: Offered, name: str, mask: Any, marker: Mapping[str, Any]) -> dict[str, Any]:
    up, down = run.rate_bps("up"), run.rate_bps("down")
    links = [(place, run.links[place]) for place in np.flatnonzero(mask).tolist()]
    texts = [
        f"{link['device']}: {quantity(float(up[place]), 'bit/s')} up,"
        f" {quantity(float(down[place]), 'bit/s')} down{_far(link['distance_m'])}"
        for place, link in links
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [link["x_m"] for _, link in links],
        "y": [link["y_m"] for _, link in links],
        "text": texts,
        "marker": marker,
        "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
    }


def _far(distance_m: float | None) -> str:
    return "" if distance_m is None or not isfinite(distance_m) else f", {distance_m:.0f} m away"


def _scale(mbps: Floats) -> dict[str, Any]:
    """Return plotly's scale of colours for rates up, in Mbit/s, on logarithms where they differ much."""
    least, most = (float(mbps.min()), float(mbps.max())) if mbps.size else (1.0, 1.0)
    if most <= least:
        return {"cmin": 0.5 * least, "cmax": 1.5 * least, **_COLOURS}
    bar: dict[str, Any] = {**_BAR, "title": {"text": "Mbit/s up, alone", "side": "top"}}
    if most > _WIDE * least:
        ticks = np.linspace(log10(least), log10(most), 5)
        bar |= {"tickvals": ticks.tolist(), "ticktext": [amount(10.0**tick) for tick in ticks]}
        least, most = log10(least), log10(most)
        return {"cmin": least, "cmax": most, **_COLOURS, "showscale": True, "colorbar": bar}
    return {"cmin": least, "cmax": most, **_COLOURS, "showscale": True, "colorbar": bar}


def _shade(mbps: Floats, scale: Mapping[str, Any]) -> list[float]:
    values = np.log10(mbps) if "tickvals" in scale.get("colorbar", {}) else mbps
    return [float(value) for value in values]
