"""The map of each access network: stations, devices by the rate at which they send; it reads no file.

Colour is the mean uplink rate of a device that is alone, in the part of the time of its direction; behind
wires, what the narrowest of them carries at most. All maps have one scale; the table has the same rates.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from slfac_sim.analysis.air import TOO_OLD, Offered
from slfac_sim.analysis.air import offered as data
from slfac_sim.analysis.format import amount
from slfac_sim.analysis.maps import draw_ranges, draw_stations, frame
from slfac_sim.analysis.style import FAINT, INK, legend, nothing, stacked_canvas
from slfac_sim.analysis.ticks import FewLog, plain
from slfac_sim.foundation.arrays import Floats

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_NOWHERE = "The devices of this network have no places: there is no map."
_COLOURS = matplotlib.colormaps["viridis_r"]  # fast devices are dark
_MAP_MM = 68.0
_MOST_MAPS = 4  # access networks with places; the table has all
_WIDE = 10.0  # a larger ratio of rates is shown on a scale of logarithms


def table(series: Sequence[Offered]) -> Iterator[dict[str, Any]]:
    """Yield one row for each device, then one for each station."""
    for run in series:
        for link, bps in zip(run.links, run.drawn_rates_bps(), strict=True):
            named = {name: link[name] for name in ("device", "station", "x_m", "y_m", "los", "distance_m")}
            rates = {name: bps[name] for name in ("up_rate_bps", "down_rate_bps")}
            yield {"run": run.label, **named, **rates}
        for place in run.stations:
            yield {"run": run.label, "station": place["name"], "x_m": place["x_m"], "y_m": place["y_m"]}


def draw(series: Sequence[Offered]) -> Figure:
    """Return the map of the first run."""
    run = series[0]
    parts = [part for row in run.air if _placed(part := run.within(row["access"])).any()]
    figure, all_axes = stacked_canvas(min(len(parts), _MOST_MAPS) or 1, _MAP_MM, legend_rows=4)
    if not parts:
        return nothing(figure, run.label, _NOWHERE if run.links else TOO_OLD)
    entries: dict[str, Any] = {}
    shown = parts[:_MOST_MAPS]
    rates = np.concatenate([part.rate_bps("up")[_placed(part)] for part in shown]) / 1e6
    scale = _scale(rates[rates > 0.0])
    for axes, part in zip(all_axes, shown, strict=True):
        _map(axes, part, scale)
        entries |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        if len(run.air) > 1:
            axes.set_title(part.air[0]["access"])
    if np.unique(rates[rates > 0.0]).size > 1:
        _bar(figure, all_axes, scale)
    legend(figure, [*entries.values()], [*entries], ncols=4, title=_title(run, len(parts)), handlelength=1.0,
        columnspacing=1.2,
    )  # fmt: skip
    return figure


def _placed(run: Offered) -> NDArray[np.bool_]:
    """Return which devices have a place."""
    return np.isfinite(run.column("x_m")) if run.links else np.zeros(0, bool)


def _map(axes: Axes, run: Offered, scale: Normalize) -> None:
    """Draw the map of one access network: each has places of its own."""
    draw_ranges(axes, run)
    _served(axes, run)
    _devices(axes, run, _placed(run), scale)
    draw_stations(axes, run)
    frame(axes)


def _served(axes: Axes, run: Offered) -> None:
    """Draw with several stations who serves whom."""
    if len(run.stations) > 1:
        places = {station["name"]: (station["x_m"], station["y_m"]) for station in run.stations}
        for link in run.links:
            if link["station"] in places:
                x_m, y_m = places[link["station"]]
                axes.plot([x_m, link["x_m"]], [y_m, link["y_m"]], color=FAINT, linewidth=0.4, zorder=0)


def _devices(axes: Axes, run: Offered, placed: NDArray[np.bool_], scale: Normalize) -> None:
    x_m, y_m, los = (run.column(name) for name in ("x_m", "y_m", "los"))
    bps = run.rate_bps("up")
    reached = placed & (bps > 0.0)
    shapes = {
        "line of sight": ("o", reached & (los == 1.0)),
        "no line of sight": ("s", reached & (los == 0.0)),
        "device": ("o", reached & np.isnan(los)),
    }
    for name, (marker, chosen) in shapes.items():
        if chosen.any():
            axes.plot([], [], marker, color=FAINT, markeredgecolor=INK, markersize=3.5, label=name)
            style: dict[str, Any] = {"edgecolors": INK, "linewidths": 0.4, "marker": marker}
            colour = bps[chosen] / 1e6
            axes.scatter(x_m[chosen], y_m[chosen], 14.0, colour, cmap=_COLOURS, norm=scale, **style)
    lost = placed & ~reached
    if lost.any():
        axes.scatter(x_m[lost], y_m[lost], 14.0, INK, marker="x", linewidths=0.8, label="no coverage")


def _bar(figure: Figure, all_axes: Sequence[Axes], scale: Normalize) -> None:
    colours = matplotlib.cm.ScalarMappable(scale, _COLOURS)
    bar = figure.colorbar(colours, ax=all_axes, fraction=0.05, pad=0.02, aspect=20 * len(all_axes))
    bar.set_label("rate up, alone (Mbit/s)")
    bar.outline.set_linewidth(0.4)
    if isinstance(scale, LogNorm):
        bar.set_ticks(FewLog(), format=plain)
        bar.ax.yaxis.set_minor_locator(NullLocator())


def _scale(rates: Floats) -> Normalize:
    if not rates.size or rates.max() <= rates.min():
        middle = float(rates.max(initial=1.0))
        return Normalize(0.5 * middle, 1.5 * middle)
    kind = LogNorm if rates.max() > _WIDE * rates.min() else Normalize
    return kind(float(rates.min()), float(rates.max()))


def _title(run: Offered, maps: int) -> str:
    mbps = run.rate_bps("up") / 1e6
    slowest = run.links[int(np.argmin(mbps))]["device"]
    middle, least = amount(float(np.median(mbps))), amount(float(mbps.min()))
    label = run.label if maps <= _MOST_MAPS else f"{run.label}: {_MOST_MAPS} of {maps} access networks"
    rates = f"{len(run.links)} devices, median {middle} Mbit/s up, least {least} ({slowest})"
    return f"{label}\n{rates}:\n{run.alone}"
