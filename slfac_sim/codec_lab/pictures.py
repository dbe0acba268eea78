"""The rate-distortion figure: relative squared error against bits a value, a curve for each codec."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.style import FAINT, canvas, house_style, legend_label, look, save
from slfac_sim.analysis.text_tables import write_csv
from slfac_sim.analysis.ticks import log_axis
from slfac_sim.codec_lab.measuring import Measured, front

_SHORT = 14  # letters of a name of which three fit beside each other
_FLOOR = 1e-9  # a smaller error, or none, is drawn here


@dataclass(frozen=True)
class Curve:
    """One codec, by `name`, moved along its rate knobs (empty: it has none); the best points are drawn."""

    name: str
    knobs: str
    points: Sequence[Measured]


def draw(curves: Sequence[Curve], title: str, out: Path) -> list[Path]:
    """Draw `curves` into ``rate_distortion`` .png, .svg and .csv in `out`; return the files."""
    with house_style():
        files = save(figure_of(curves, title), out, "rate_distortion")
    return [*files, write_csv(_rows(curves), out / "rate_distortion.csv")]


def _rows(curves: Sequence[Curve]) -> Iterator[dict[str, Any]]:
    for curve in curves:
        for point in curve.points:
            figures = {"bits_per_value": point.bits_per_value, "relative_squared_error": point.error}
            yield {"codec": curve.name, "knobs": curve.knobs, "label": point.label, **figures}


def figure_of(curves: Sequence[Curve], title: str) -> Figure:
    """Return the figure; it is called inside `house_style`."""
    shown = [curve for curve in curves if any(not point.refused for point in curve.points)]
    columns = 3 if max((len(curve.name) for curve in shown), default=0) <= _SHORT else 1
    figure, axes = canvas(legend_rows=2 + -(-len(shown) // columns))
    for index, curve in enumerate(shown):
        points = [(point.bits_per_value, max(point.error, _FLOOR)) for point in front(curve.points)]
        style = look(index)
        axes.plot(
            *zip(*points, strict=True),
            color=style.colour,
            marker=style.marker,
            linestyle=style.dashes,
            linewidth=0.9,
            markersize=2.6,
            label=legend_label(curve.name),
        )
    log_axis(axes.xaxis)
    log_axis(axes.yaxis)
    axes.set_xlabel("bits a value, headers included")
    axes.set_ylabel("relative squared error")
    axes.grid(linewidth=0.4, color=FAINT)
    figure.legend(loc="outside upper left", ncols=columns, title=title, alignment="left")
    return figure
