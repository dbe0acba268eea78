"""Bars of one look as one patch, for figures of many rounds."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from slfac_sim.analysis.style import INK, Fill


def bars(
    axes: Axes,
    places: Sequence[float],
    lengths: Sequence[float],
    before: Sequence[float],
    look: Fill,
    label: str = "",
    *,
    width: float = 0.8,
    along_x: bool = False,
) -> PathPatch:
    """Draw a bar of each of `lengths` from `before` on, upright or `along_x`, and return them: one patch.

    `Axes.bar` makes one for each bar, and renders the hatching for each anew: too long for many rounds.
    """
    across, start = np.asarray(places) - width / 2, np.asarray(before)
    end = start + np.asarray(lengths)
    corners = np.empty((across.size, 5, 2))
    corners[..., 0] = np.stack([across, across + width, across + width, across, across], axis=1)
    corners[..., 1] = np.stack([start, start, end, end, start], axis=1)
    points = corners.reshape(-1, 2)[:, ::-1] if along_x else corners.reshape(-1, 2)
    codes = np.tile([Path.MOVETO, *3 * [Path.LINETO], Path.CLOSEPOLY], across.size)
    drawn = PathPatch(
        Path(points, codes),
        facecolor=look.colour,
        hatch=look.hatch,
        edgecolor=INK,
        linewidth=0.4,
        label=label,
    )
    (drawn.sticky_edges.x if along_x else drawn.sticky_edges.y).append(0.0)
    axes.add_artist(drawn)
    axes.update_datalim(points)
    axes.autoscale_view()
    return drawn
