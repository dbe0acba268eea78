"""What maps have in common: stations with the ranges of their cells, and a colour for each station."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from slfac_sim.analysis.air import Offered
from slfac_sim.analysis.stations import station_numbers
from slfac_sim.analysis.structure import Row
from slfac_sim.analysis.style import FAINT, HALO, INK, look, text_pt

_NAMED = 19  # stations; the names of more would hide the devices


def draw_ranges(axes: Axes, run: Offered) -> None:
    """Draw the radius of the cell around each station."""
    radius_m = run.air[0]["radius_m"] if run.air else None
    if radius_m is None or not np.isfinite(radius_m):
        return
    for station in run.stations:
        place = (station["x_m"], station["y_m"])
        axes.add_patch(Circle(place, radius_m, fill=False, edgecolor=FAINT, linewidth=0.6, zorder=0))
        axes.update_datalim([np.subtract(place, radius_m), np.add(place, radius_m)])


def draw_stations(axes: Axes, run: Offered, colours: Mapping[str, str] | None = None) -> None:
    """Draw the stations, each in its colour, with their names where there are several."""
    colours = colours or {}
    style: dict[str, Any] = {"markeredgecolor": INK, "markersize": 6.0, "zorder": 4}
    for number, station in enumerate(run.stations):
        place, colour = (station["x_m"], station["y_m"]), colours.get(station["name"], "white")
        axes.plot(*place, "^", color=colour, label="" if number else "station", **style)
        if 1 < len(run.stations) <= _NAMED:
            name = station["name"].rpartition("/")[2]  # the title has the access network
            axes.annotate(name, place, xytext=(4, 4), textcoords="offset points", fontsize=text_pt(6.0),
                zorder=5, path_effects=HALO if colours else [],
            )  # fmt: skip


def frame(axes: Axes) -> None:
    """Make a map of `axes`: metres are as long to the east as to the north."""
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.04)
    axes.set_xlabel("east (m)")
    axes.set_ylabel("north (m)")


def station_colours(stations: Sequence[Row]) -> dict[str, str]:
    """Return the colour of each station."""
    return {name: look(number).colour for name, number in station_numbers(stations).items()}
