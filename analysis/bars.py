"""Stacked bars, of one look in every figure."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from slfac_sim.analysis.style import INK, Fill
from slfac_sim.foundation.arrays import Floats

Layer = tuple[str, Fill, Sequence[float] | Floats]  # its name in a legend, its look, its lengths [bars]


def stack(
    axes: Axes, places: Any, layers: Iterable[Layer], *, width: float = 0.8, along_x: bool = False
) -> tuple[list[PathPatch], Floats]:
    """Draw bars at `places`, upright or `along_x`, layer upon layer; return the layers, and the ends."""
    drawn, ends = [], np.zeros(len(places))
    for name, look, lengths in layers:
        drawn.append(_bars(axes, np.asarray(places), np.asarray(lengths), ends, look, name, width, along_x))
        ends = ends + np.asarray(lengths)
    return drawn, ends


def name_ends(axes: Axes, places: Any, ends: Iterable[float], texts: Iterable[str]) -> None:
    """Write a text at the end of each of the bars along x."""
    for place, end, text in zip(places, ends, texts, strict=True):
        axes.annotate(text, (end, place), xytext=(3, 0), textcoords="offset points", va="center")


def _bars(
    axes: Axes, places: Any, lengths: Any, start: Any, look: Fill, name: str, width: float, along_x: bool
) -> PathPatch:
    """Draw all bars of a layer as one patch.

    `Axes.bar` makes one for each bar, and renders the hatching for each anew: too long for many rounds.
    """
    across, end = places - width / 2, start + lengths
    corners = np.empty((across.size, 5, 2))
    corners[..., 0] = np.stack([across, across + width, across + width, across, across], axis=1)
    corners[..., 1] = np.stack([start, start, end, end, start], axis=1)
    points = corners.reshape(-1, 2)[:, ::-1] if along_x else corners.reshape(-1, 2)
    codes = np.tile([Path.MOVETO, *3 * [Path.LINETO], Path.CLOSEPOLY], across.size)
    style: dict[str, Any] = {"facecolor": look.colour, "hatch": look.hatch, "edgecolor": INK}
    drawn = PathPatch(Path(points, codes), linewidth=0.4, label=name, **style)
    (drawn.sticky_edges.x if along_x else drawn.sticky_edges.y).append(0.0)
    axes.add_artist(drawn)
    axes.update_datalim(points)
    axes.autoscale_view()
    return drawn
