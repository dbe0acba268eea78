"""The ways of devices on the map: serving station by colour, handovers marked; it reads no file.

Ways are straight between the instants at which the run looked where its devices were, so that turns in
between are cut. Each access network has places, and a map, of its own.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.format import count, listed, one_decimal
from slfac_sim.analysis.laying_out import note
from slfac_sim.analysis.maps import draw_ranges, draw_stations, frame, station_colours
from slfac_sim.analysis.style import HALO, INK, legend, stacked_canvas, text_pt
from slfac_sim.analysis.tracks import Track, Tracks
from slfac_sim.analysis.tracks import tracks_of as data

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_MAP_MM = 78.0
_MOST_MAPS = 4  # access networks; the table has all
_NAMED = 24  # devices that are named where they start, if there is room
_SIZES = {60: 3.2, 300: 2.2, inf: 1.2}  # of the marks of so many handovers at most


def table(series: Sequence[Tracks]) -> Iterator[dict[str, Any]]:
    """Yield one row for each instant of each device, with the station that serves it from then on."""
    for run in series:
        for track in run.tracks:
            columns = (track.at_s, track.x_m, track.y_m)
            left = {row["at_s"]: row["source"] for row in track.handovers}
            for t_s, x_m, y_m, station in zip(*(c.tolist() for c in columns), track.station, strict=True):
                place = {"at_s": t_s, "x_m": x_m, "y_m": y_m, "station": station}
                yield {"run": run.label, "device": track.device, **place, "came_from": left.get(t_s, "")}


def draw(series: Sequence[Tracks]) -> Figure:
    """Return the map of the first run."""
    run = series[0]
    maps = list(_maps(run))
    figure, all_axes = stacked_canvas(min(len(maps), _MOST_MAPS), _MAP_MM, legend_rows=5)
    entries: dict[str, Any] = {}
    for axes, (offered, tracks) in zip(all_axes, maps, strict=False):
        _map(axes, offered, tracks)
        entries |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        if len(maps) > 1:
            axes.set_title(offered.air[0]["access"])
    legend(figure, [*entries.values()], [*entries], ncols=4, title=_title(run), handlelength=1.0,
        columnspacing=1.2,
    )  # fmt: skip
    return figure


def _maps(run: Tracks) -> Iterator[tuple[Offered, list[Track]]]:
    """Yield what each access network offers, and the ways in it."""
    within = {link["device"]: link["access"] for link in run.links}
    for row in run.air:
        tracks = [track for track in run.tracks if within[track.device] == row["access"]]
        if tracks:
            yield run.within(row["access"]), tracks


def _map(axes: Axes, run: Offered, tracks: Sequence[Track]) -> None:
    colours = station_colours(run.stations)
    draw_ranges(axes, run)
    draw_stations(axes, run, colours)
    _ways(axes, tracks, colours)
    _starts(axes, tracks)
    _handovers(axes, tracks)
    frame(axes)


def _ways(axes: Axes, tracks: Sequence[Track], colours: dict[str, str]) -> None:
    """Draw the ways: thinner, and so that crossings show, where there are many."""
    width, opacity = (1.2, 0.9) if len(tracks) <= _NAMED else (0.6, 0.7)
    stretches = [(track, *stretch) for track in tracks for stretch in track.stretches()]
    lines = [np.column_stack([track.x_m[part], track.y_m[part]]) for track, part, _ in stretches]
    style: dict[str, Any] = {"linewidths": width, "alpha": opacity, "zorder": 1.5, "capstyle": "round"}
    looks = [colours.get(station, INK) for _, _, station in stretches]
    axes.add_collection(LineCollection(lines, colors=looks, **style))
    axes.update_datalim(np.concatenate(lines))


def _starts(axes: Axes, tracks: Sequence[Track]) -> None:
    """Mark where devices start, with their names if they are few; several may start at one place."""
    starts: dict[tuple[float, float], list[str]] = {}
    for track in tracks:
        starts.setdefault((float(track.x_m[0]), float(track.y_m[0])), []).append(track.device)
    is_named = len(tracks) <= _NAMED
    size = 2.6 if is_named else 1.4
    x_m, y_m = zip(*starts, strict=True)
    axes.scatter(x_m, y_m, size**2, INK, linewidths=0.4, zorder=3, label="start")
    for place, names in starts.items() if is_named else ():
        note(axes, listed(names, 3), place, (3.0, 2.0), fontsize=text_pt(5.0), zorder=6, path_effects=HALO)


def _handovers(axes: Axes, tracks: Sequence[Track]) -> None:
    """Mark handovers, those back at once apart; the more there are, the smaller."""
    rows = [(row["is_ping_pong"], track.place_m(row["at_s"])) for track in tracks for row in track.handovers]
    small = next(size for most, size in _SIZES.items() if len(rows) <= most)
    looks = {"handover": ("D", "white", INK), "ping-pong": ("X", INK, "white")}
    for back, (name, (marker, face, edge)) in enumerate(looks.items()):
        chosen = [place for is_ping_pong, place in rows if is_ping_pong == back]
        if chosen:
            size = (1.0 + 0.5 * back) * small
            style: dict[str, Any] = {"marker": marker, "color": face, "zorder": 3.5 + back}
            style |= {"edgecolors": edge, "linewidths": (0.16 - 0.08 * back) * size}
            x_m, y_m = zip(*chosen, strict=True)
            axes.scatter(x_m, y_m, size**2, **style)
            axes.scatter([], [], (3.2 + 1.6 * back) ** 2, label=name, **style)


def _title(run: Tracks) -> str:
    """Return of which run it is, how far its devices came, and how often they were handed over."""
    times = Counter(track.device for track in run.tracks for _ in track.handovers)
    until_s = max(float(track.at_s[-1]) for track in run.tracks)
    lines = [run.label, f"{count(len(run.tracks), 'device')} on the way for {one_decimal(until_s)} s"]
    if times:
        handovers = "handover" if times.total() == 1 else "handovers"
        lines[-1] += f", {times.total():,} {handovers} by {len(times):,} of them"
    if len(run.stations) > 1:
        lines.append("a way has the colour of the station that serves there")
    return "\n".join(lines)
