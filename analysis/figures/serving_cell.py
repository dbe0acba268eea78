"""Which station served each device that moved, and how fast it was there: a strip a device; it reads no file.

A strip is pale in the colour of the station that serves the device, and filled up to its mean rate up, with
the air to itself; of many devices, the faster the deeper. Rates were looked at a few hundred times at most.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from slfac_sim.analysis.format import count, quantity, shortened
from slfac_sim.analysis.maps import station_colours
from slfac_sim.analysis.stations import COLOURS
from slfac_sim.analysis.style import INK, legend, stacked_canvas
from slfac_sim.analysis.tracks import Track, Tracks
from slfac_sim.analysis.tracks import tracks_of as data
from slfac_sim.foundation.arrays import Floats

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_FEW, _NAMED = 6, 24  # devices that say nothing by their order, and that can all be named
_STRIP_MM, _MOST_MM, _FRAME_MM = 4.4, 120.0, 12.0
_PALE = 0.28  # what is left of a colour where a strip is not filled
_HALF = 0.42  # of a strip's height; the rest parts it from the next
_COLUMNS, _LETTERS, _LEGEND = 5, 14, 44  # of a legend: at most so many columns, letters of a name, of a line


def table(series: Sequence[Tracks]) -> Iterator[dict[str, Any]]:
    """Yield one row for each instant of each device, in the order of the strips."""
    for run in series:
        for track in _ordered(run):
            columns = (track.at_s, track.up_bps, track.down_bps)
            for t_s, up_bps, down_bps, station in zip(
                *(c.tolist() for c in columns), track.station, strict=True
            ):
                rates = {"station": station, "up_rate_bps": up_bps, "down_rate_bps": down_bps}
                yield {"run": run.label, "device": track.device, "at_s": t_s, **rates}


def draw(series: Sequence[Tracks]) -> Figure:
    """Return the figure of the first run."""
    run = series[0]
    tracks, colours = _ordered(run), station_colours(run.stations)
    most_bps = max(float(track.up_bps.max()) for track in tracks) or 1.0
    short = {name: name.rpartition("/")[2] if len(run.air) == 1 else name for name in colours}
    names = [shortened(name, _LETTERS) for name in short.values()][:COLOURS]
    columns = min(_COLUMNS, _LEGEND // max(map(len, names), default=_LEGEND))
    rows = 4 + -(-(len(names) + 2) // columns)
    figure, (axes,) = stacked_canvas(1, min(_STRIP_MM * len(tracks), _MOST_MM) + _FRAME_MM, legend_rows=rows)
    many = len(tracks) > _NAMED
    (_shades if many else _fills)(axes, tracks, colours, most_bps)
    marks = [] if many else _marks(axes, tracks)
    _scales(axes, tracks)
    drawn = "pale is 0, deep" if many else "a strip is filled from 0 to"
    title = f"{run.label}\nrate up, {run.by_air}:\n{drawn} {quantity(most_bps, 'bit/s')}"
    patches = [Patch(facecolor=colours[name], label=text) for name, text in zip(colours, names, strict=False)]
    style: dict[str, Any] = {"handlelength": 1.2, "columnspacing": 1.0}
    legend(figure, handles=[*patches, *marks], ncols=columns, title=title, **style)
    return figure


def _scales(axes: Axes, tracks: Sequence[Track]) -> None:
    """Set the limits, and name the devices where there is room."""
    axes.set_xlim(0.0, max(float(track.at_s[-1]) for track in tracks) or 1.0)
    axes.set_ylim(len(tracks) - 0.5, -0.5)
    axes.set_xlabel("simulated time (s)")
    is_named = len(tracks) <= _NAMED
    names = {number: track.device for number, track in enumerate(tracks) if is_named}
    axes.set_yticks([*names], [*names.values()])
    is_ordered = len(tracks) > _FEW and tracks[0].handovers
    axes.set_ylabel(f"{count(len(tracks), 'device')}{', most handovers on top' if is_ordered else ''}")


def _ordered(run: Tracks) -> list[Track]:
    """Return the ways, of the devices that were handed over most first."""
    return sorted(run.tracks, key=lambda track: (-len(track.handovers), track.device))


def _fills(axes: Axes, tracks: Sequence[Track], colours: Mapping[str, str], most_bps: float) -> None:
    """Draw strips that are pale, and filled up to the rate."""
    stretches = [(row, track, *one) for row, track in enumerate(tracks) for one in track.stretches()]
    looks = [_mixed(colours.get(station, INK), 1.0) for *_, station in stretches]
    pales = [_mixed(colours.get(station, INK), _PALE) for *_, station in stretches]
    whole = [_band(track.at_s[part], row, 1.0) for row, track, part, _ in stretches]
    filled = [
        _band(track.at_s[part], row, track.up_bps[part] / most_bps) for row, track, part, _ in stretches
    ]
    for shapes, faces, order in ((whole, pales, 1.0), (filled, looks, 1.1)):
        bands = PolyCollection(shapes, facecolors=faces, linewidths=0, rasterized=True, zorder=order)
        axes.add_collection(bands)


def _shades(axes: Axes, tracks: Sequence[Track], colours: Mapping[str, str], most_bps: float) -> None:
    """Draw strips too thin to be filled: the faster, the deeper their colour."""
    shapes, faces = [], []
    for row, track in enumerate(tracks):
        for place, (from_s, to_s) in enumerate(pairwise(track.at_s)):
            shapes.append([(from_s, row - 0.5), (from_s, row + 0.5), (to_s, row + 0.5), (to_s, row - 0.5)])
            share = float(track.up_bps[place : place + 2].mean()) / most_bps
            faces.append(_mixed(colours.get(track.station[place], INK), _PALE + (1.0 - _PALE) * share))
    axes.add_collection(PolyCollection(shapes, facecolors=faces, linewidths=0, rasterized=True))


def _mixed(colour: str, part: float) -> tuple[float, ...]:
    """Return `part` of a colour in white."""
    return tuple(1.0 - part * (1.0 - one) for one in to_rgb(colour))


def _band(at_s: Floats, row: int, shares: Floats | float) -> Floats:
    """Return the outline of a strip that is filled to these parts of its height."""
    low = np.full(len(at_s), row + _HALF)
    high = low - 2.0 * _HALF * shares
    return np.concatenate([np.column_stack([at_s, low]), np.column_stack([at_s, high])[::-1]])


def _marks(axes: Axes, tracks: Sequence[Track]) -> list[Line2D]:
    """Mark the handovers, those back at once apart; return what a legend says of them."""
    handles = []
    for back, (name, marker) in enumerate({"handover": "|", "ping-pong": "x"}.items()):
        rows = [(row["at_s"], number) for number, track in enumerate(tracks) for row in track.handovers
            if row["is_ping_pong"] == back
        ]  # fmt: skip
        if rows:
            size = 3.2 if back else 0.8 * _STRIP_MM / 0.3528
            style: dict[str, Any] = {"color": INK, "linestyle": "none", "marker": marker}
            axes.plot(
                *zip(*rows, strict=True), markersize=size, markeredgewidth=0.8, zorder=2 + back, **style
            )
            handles.append(Line2D([], [], markersize=4.5, markeredgewidth=0.8, label=name, **style))
    return handles
