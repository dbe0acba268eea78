"""Rate against distortion: the settings that move a codec along its curve, its points there, and the figure.

A codec is moved along the first of these settings that it has, somebody else's as well, and along a second
one that belongs to it; one without such a setting is a single point.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.style import FAINT, canvas, house_style, legend_label, look, save
from slfac_sim.analysis.text_tables import write_csv
from slfac_sim.analysis.ticks import log_axis
from slfac_sim.codec_lab.measure import Measured, front, measure
from slfac_sim.codecs import Codec, Tensor
from slfac_sim.foundation.plugins import adapter, kind_of

_FIRST: Mapping[str, Sequence[Any]] = {
    "target_bits_per_value": (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0),
    "bits_per_value": (0.1, 0.25, 0.5, 1.0, 2.0, 4.0),
    "bits": (1, 2, 3, 4, 5, 6, 8, 10),
    "b_max": (2, 3, 4, 5, 6, 8, 10, 12),
    "rate": (0.01, 0.03, 0.1, 0.2, 0.4),
    "together": (2, 4, 8, 16),
    "centroids": (2, 4, 16, 64),
    "levels": (2, 4, 16, 64, 256),
}
_SECOND: Mapping[str, tuple[str, Sequence[Any]]] = {
    "b_max": ("theta", (0.8, 0.9, 0.95, 0.99, 0.999)),
    "bits_per_value": ("reduction", (2.0, 4.0, 8.0)),
    "centroids": ("length", (2, 4, 8, 16)),
}
_SHORT = 14  # letters of a name of which three fit beside each other
_FLOOR = 1e-9  # a smaller error, or none, is drawn here


def rate_settings(codec: Codec) -> list[str]:
    """Return the settings that move `codec` along its curve, at most two."""
    names = _names(codec)
    first = next((name for name in _FIRST if name in names), "")
    second = _SECOND.get(first, ("",))[0]
    return [name for name in (first, second) if name in names]


def sweep(codec: Codec) -> list[Codec]:
    """Return `codec` with its names at every place that its settings allow; itself among them."""
    names = rate_settings(codec)
    places = [_FIRST[names[0]] if rank == 0 else _SECOND[names[0]][1] for rank in range(len(names))]
    moved: list[Codec] = []
    for values in itertools.product(*places) if names else ():
        try:
            moved.append(_with(codec, dict(zip(names, values, strict=True))))
        except ValueError:  # out of this codec's range, or at odds with another of its settings
            continue
    return moved if codec in moved else [*moved, codec]


def _names(codec: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(codec)] if dataclasses.is_dataclass(codec) else []


def _with(codec: Any, changes: Mapping[str, Any]) -> Codec:
    """Return `codec` with `changes`, checked as a scenario's settings are. Raises `ValueError`."""
    plain = {name: getattr(codec, name) for name in _names(codec)}
    if "b_max" in changes and "b_min" in plain:
        plain["b_min"] = min(plain["b_min"], changes["b_max"])
    cls: Any = type(codec)
    changed: Codec = adapter(cls).validate_python({**plain, **changes})
    return changed


@dataclass(frozen=True)
class Curve:
    """One codec, by `name`, moved along its rate `settings` (empty: none); its best points are drawn."""

    name: str
    settings: str
    points: Sequence[Measured]


def curves_of(codecs: Sequence[Codec], tensor: Tensor, stream: str) -> list[Curve]:
    """Return the curve of each codec on `tensor`; where a kind is there twice, they have their labels."""
    kinds = [kind_of(codec) for codec in codecs]
    return [
        Curve(
            kind if kinds.count(kind) == 1 else codec.label,
            ", ".join(rate_settings(codec)),
            [measure(point, tensor, stream, timed=False) for point in sweep(codec)],
        )
        for kind, codec in zip(kinds, codecs, strict=True)
    ]


def draw(curves: Sequence[Curve], title: str, out: Path) -> list[Path]:
    """Draw `curves` into ``rate_distortion`` .png, .svg and .csv in `out`; return the files."""
    with house_style():
        files = save(figure_of(curves, title), out, "rate_distortion")
    return [*files, write_csv(_rows(curves), out / "rate_distortion.csv")]


def _rows(curves: Sequence[Curve]) -> Iterator[dict[str, Any]]:
    for curve in curves:
        for point in curve.points:
            figures = {"bits_per_value": point.bits_per_value, "relative_squared_error": point.error}
            yield {"codec": curve.name, "knobs": curve.settings, "label": point.label, **figures}


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
