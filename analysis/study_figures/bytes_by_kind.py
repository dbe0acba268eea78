"""The payload bytes of a whole run by kind, a bar for each line; two where x changes the bytes."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from slfac_sim.analysis.format import amount
from slfac_sim.analysis.study import StudyResult
from slfac_sim.analysis.study_answers import at_place, mean_bytes, panels_of, texts_of
from slfac_sim.analysis.study_names import line_label, x_label
from slfac_sim.analysis.style import INK, fill, stacked_canvas

_BAR_MM, _FRAME_MM = 8.0, 14.0
_LEGEND_COLUMNS = 3
_TEXT_CHARACTERS = 20
_SEEN = 5e-4  # of the longest bar: smaller kinds are left to the table
_FILLS = (3, 0, 6, 4, 5)  # of the shipped kinds: activations and gradients catch the eye, labels are a sliver
Array = NDArray[np.float64]


@dataclass(frozen=True)
class BytesByKind:
    """What is drawn: `megabytes` [bars, kinds] of 10^6 bytes, averaged over seeds."""

    bars: Sequence[str]
    kinds: Sequence[str]
    megabytes: Array


def data(study: StudyResult) -> BytesByKind | None:
    """Return the bytes at the first values of further axes; None where nothing finished."""
    panel, xs = panels_of(study)[0], texts_of(study.roles.x)
    rows: list[tuple[str, dict[str, float]]] = []
    for line in texts_of(study.roles.line):
        ends = [mean_bytes(study, at_place(study, panel, line, x)) for x in dict.fromkeys((xs[0], xs[-1]))]
        if len(ends) == 2 and ends[0] == ends[1]:
            ends = ends[:1]
        for x, sent in zip((xs[0], xs[-1]), ends, strict=False):
            where = f", {x_label(study, x)}" if len(ends) == 2 else ""
            rows.append((line_label(study, line) + where, sent))
    rows = [(bar, sent) for bar, sent in rows if sent]
    if not rows:
        return None
    kinds = list(dict.fromkeys(kind for _, sent in rows for kind in sent))
    megabytes = np.array([[sent.get(kind, 0.0) / 1e6 for kind in kinds] for _, sent in rows])
    return BytesByKind([bar for bar, _ in rows], [kind.replace("_", " ") for kind in kinds], megabytes)


def table(sent: BytesByKind) -> list[dict[str, Any]]:
    """Return one row for each bar, with the megabytes of each kind."""
    return [
        {
            "line": bar,
            **{f"{kind} (MB)": float(value) for kind, value in zip(sent.kinds, row, strict=True)},
            "total (MB)": float(row.sum()),
        }
        for bar, row in zip(sent.bars, sent.megabytes, strict=True)
    ]


def draw(sent: BytesByKind) -> Figure:
    """Return the figure: stacked bars, with the whole in MB at their ends."""
    rows = -(-len(sent.kinds) // _LEGEND_COLUMNS)
    figure, (axes,) = stacked_canvas(1, _FRAME_MM + _BAR_MM * len(sent.bars), legend_rows=rows)
    before = np.zeros(len(sent.bars))
    places = np.arange(len(sent.bars))[::-1]
    looks = [fill(_FILLS[i] if i < len(_FILLS) else i) for i in range(len(sent.kinds))]
    for look, megabytes in zip(looks, sent.megabytes.T, strict=True):
        axes.barh(
            places,
            megabytes,
            0.62,
            before,
            color=look.colour,
            hatch=look.hatch,
            edgecolor=INK,
            linewidth=0.4,
        )
        before = before + megabytes
    for place, total in zip(places, before, strict=True):
        axes.annotate(
            f"{amount(float(total))} MB",
            (total, place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_yticks(places, [textwrap.fill(bar, _TEXT_CHARACTERS) for bar in sent.bars])
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axes.set_xlim(0.0, 1.22 * float(before.max()) or 1.0)
    axes.set_xlabel("payload of a whole run (MB)")
    handles = [
        Patch(facecolor=look.colour, hatch=look.hatch, edgecolor=INK, linewidth=0.4, label=kind)
        for look, kind, megabytes in zip(looks, sent.kinds, sent.megabytes.T, strict=True)
        if megabytes.max() > _SEEN * before.max()
    ]
    figure.legend(
        handles=handles, loc="outside upper left", ncols=_LEGEND_COLUMNS, columnspacing=1.0, handlelength=1.6
    )
    return figure
