"""What hosts drew energy for: all devices together, one device, and the server; it reads no file."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.ticker import MaxNLocator

from slfac_sim.analysis.bars import name_ends, stack
from slfac_sim.analysis.energy import PARTS, Drawn, single, together
from slfac_sim.analysis.energy import drawn as data
from slfac_sim.analysis.format import amount, unit_of
from slfac_sim.analysis.style import fill, legend, stacked_canvas
from slfac_sim.analysis.ticks import plain_axis

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = False
ONE_RUN = True
_FILLS = (6, 7, 5, 2, 4)


def table(series: Sequence[Drawn]) -> Iterator[dict[str, Any]]:
    """Yield one row for each bar."""
    for run in series:
        for name, parts in [*together(run), *single(run)]:
            drawn = {f"{part}_j": joules for part, joules in parts.items()}
            yield {"run": run.label, "bar": name, **drawn, "total_j": sum(parts.values())}


def draw(series: Sequence[Drawn]) -> Figure:
    """Return the figure of the first run: two groups of stacked bars, each on a scale of its own."""
    run = series[0]
    groups = [group for group in (together(run), single(run)) if group]
    figure, panels = stacked_canvas(len(groups), 29.0, legend_rows=3)
    for axes, group in zip(panels, groups, strict=True):
        layers = _bars(axes, group)
    legend(figure, handles=layers, ncols=3, title=run.label, handlelength=1.6)
    return figure


def _bars(axes: Axes, group: Sequence[tuple[str, Mapping[str, float]]]) -> list[PathPatch]:
    scale, unit = unit_of([max(sum(parts.values()) for _, parts in group)], "J")
    places = range(len(group))
    drawn = (
        (part, fill(index), [parts[part] / scale for _, parts in group])
        for part, index in zip(PARTS, _FILLS, strict=True)
    )
    layers, ends = stack(axes, places, drawn, width=0.66, along_x=True)
    name_ends(axes, places, ends, (f"{amount(end)} {unit}" for end in ends))
    axes.set_yticks(places, [name for name, _ in group])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.25 * max(ends) or 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    plain_axis(axes.xaxis)
    axes.set_xlabel(f"energy drawn in the whole run ({unit})")
    return layers
