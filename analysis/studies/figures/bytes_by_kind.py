"""The payload bytes of a whole run by kind, a bar for each line; two where x changes the bytes."""

import textwrap

import numpy as np
from matplotlib.figure import Figure

from slfac_sim.analysis.bars import name_ends, stack
from slfac_sim.analysis.format import amount, kind_name, unit_of
from slfac_sim.analysis.studies.bytes_sent import BytesByKind, table
from slfac_sim.analysis.studies.bytes_sent import bytes_sent as data
from slfac_sim.analysis.style import kind_fill, legend, stacked_canvas
from slfac_sim.analysis.ticks import plain_axis

_BAR_MM, _FRAME_MM = 8.0, 14.0
_LEGEND_COLUMNS = 3
_TEXT_CHARACTERS = 20
_SEEN = 5e-4  # of the longest bar: smaller kinds are left to the table

__all__ = ["data", "draw", "table"]


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
