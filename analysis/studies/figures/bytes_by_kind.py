"""The payload bytes of a whole run by kind, a bar for each line; two where x changes the bytes."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis.bars import name_ends, stack
from slfac_sim.analysis.format import amount, kind_name, unit_of
from slfac_sim.analysis.studies.answers import means
from slfac_sim.analysis.studies.study import Combination, StudyPoints
from slfac_sim.analysis.style import kind_fill, legend, stacked_canvas
from slfac_sim.analysis.ticks import plain_axis
from slfac_sim.foundation.arrays import Floats

_BAR_MM, _FRAME_MM = 8.0, 14.0
_LEGEND_COLUMNS = 3
_TEXT_CHARACTERS = 20
_SEEN = 5e-4  # of the longest bar: smaller kinds are left to the table


@dataclass(frozen=True)
class BytesByKind:
    """What is drawn: `sent_bytes` [bars, kinds], averaged over seeds; `kinds` are those of the ledger."""

    bars: Sequence[str]
    kinds: Sequence[str]
    sent_bytes: Floats


def data(study: StudyPoints) -> BytesByKind | None:
    """Return the bytes at the first values of further axes; None where nothing finished."""
    panel, xs = study.panels[0], study.xs
    rows: list[tuple[str, dict[str, float]]] = []
    for line in study.lines:
        ends = [_sent(study, study.at(panel, line, x)) for x in dict.fromkeys((xs[0], xs[-1]))]
        if len(ends) == 2 and ends[0] == ends[1]:
            ends = ends[:1]
        for x, sent in zip((xs[0], xs[-1]), ends, strict=False):
            where = f", {study.x_label(x)}" if len(ends) == 2 else ""
            rows.append((study.line_label(line) + where, sent))
    rows = [(bar, sent) for bar, sent in rows if sent]
    if not rows:
        return None
    kinds = list(dict.fromkeys(kind for _, sent in rows for kind in sent))
    sent_bytes = np.array([[sent.get(kind, 0.0) for kind in kinds] for _, sent in rows])
    return BytesByKind([bar for bar, _ in rows], kinds, sent_bytes)


def _sent(study: StudyPoints, place: Combination) -> dict[str, float]:
    sent = means(study, place, "bytes")
    return {kind: nbytes for kind, nbytes in sent.items() if kind != "total"}


def table(sent: BytesByKind) -> list[dict[str, Any]]:
    """Return one row for each bar, with the megabytes of each kind."""
    names = [f"{kind_name(kind)} (MB)" for kind in sent.kinds] + ["total (MB)"]
    cells = np.column_stack([sent.sent_bytes, sent.sent_bytes.sum(axis=1)]) / 1e6
    rows = zip(sent.bars, cells.tolist(), strict=True)
    return [{"line": bar, **dict(zip(names, row, strict=True))} for bar, row in rows]


def draw(sent: BytesByKind) -> Figure:
    """Return the figure: stacked bars, with the whole in MB at their ends."""
    rows = -(-len(sent.kinds) // _LEGEND_COLUMNS)
    figure, (axes,) = stacked_canvas(1, _FRAME_MM + _BAR_MM * len(sent.bars), legend_rows=rows)
    places = np.arange(len(sent.bars))[::-1]
    scale, unit = unit_of(sent.sent_bytes.sum(axis=1), "B")
    kinds = [(kind_name(kind), kind_fill(kind)) for kind in sent.kinds]
    lengths = sent.sent_bytes.T / scale
    drawn = ((*kind, row) for kind, row in zip(kinds, lengths, strict=True))
    layers, ends = stack(axes, places, drawn, width=0.62, along_x=True)
    name_ends(axes, places, ends, (f"{amount(float(end))} {unit}" for end in ends))
    axes.set_yticks(places, [textwrap.fill(bar, _TEXT_CHARACTERS) for bar in sent.bars])
    axes.tick_params(axis="y", length=0)
    plain_axis(axes.xaxis)
    axes.set_xlim(0.0, 1.22 * float(ends.max()) or 1.0)
    axes.set_xlabel(f"payload of a whole run ({unit})")
    seen = [layer for layer, row in zip(layers, lengths, strict=True) if row.max() > _SEEN * ends.max()]
    legend(figure, handles=seen, ncols=_LEGEND_COLUMNS, columnspacing=1.0, handlelength=1.6)
    return figure
