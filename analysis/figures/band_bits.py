"""Bits a value in each band over training, and the share of the low band, as codecs with bands note them.

It reads no file and knows no codec: it shows every note whose name begins with ``bits_`` and every one that
ends with ``_fraction``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.codec_notes import bits_in, shares_in
from slfac_sim.analysis.figures.byte_ledger import TOO_OLD
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.analysis.style import WAYS, legend, look, nothing, stacked_canvas
from slfac_sim.analysis.ticks import percents, whole_numbers
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True


@dataclass(frozen=True)
class Series:
    """One run: the rows of its table `codec_notes`; `old` says that there was no such table yet."""

    label: str
    notes: Sequence[Mapping[str, Any]]
    old: bool


def data(run: Run) -> Series | None:
    """Return what the run's ledger says; None where its codecs have no bands."""
    rows = rows_if_there(run, ("parts", "codec_notes"))
    series = Series(run.label, rows["codec_notes"], not rows["parts"])
    return series if series.old or bits_in(series.notes) or shares_in(series.notes) else None


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the ledger's table `codec_notes`, whatever their names."""
    for run in series:
        for row in run.notes:
            yield {"run": run.label, **row}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run: bits above, shares below; a line for each note and direction."""
    run = series[0]
    bits, shares = bits_in(run.notes), shares_in(run.notes)
    figure, panels = stacked_canvas(2, 32.0, legend_rows=2 + (len(bits) + 1) // 2)
    if not bits and not shares:
        return nothing(figure, run.label, TOO_OLD)
    for axes, lines in zip(panels, (bits, shares), strict=True):
        if not lines:
            axes.set_axis_off()
        names = sorted({name for name, _ in lines}, reverse=True)  # the low band before the high one
        for (name, way), points in lines.items():
            style = replace(look(names.index(name)), colour=WAYS[way].colour).line
            label = f"{name.replace('_', ' ')}, {way}"
            axes.plot(*zip(*points, strict=True), **style, markersize=2.6, label=label)
        axes.set_ylim(bottom=0.0)
        axes.grid(axis="y")
        whole_numbers(axes.xaxis)
    panels[0].set_ylabel("bits a value")
    panels[0].tick_params(labelbottom=False)
    panels[1].set_ylabel("of the values")
    percents(panels[1].yaxis)
    panels[1].set_xlabel("round")
    if shares:
        panels[1].legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    legend(figure, *panels[0].get_legend_handles_labels(), ncols=2, title=run.label)
    return figure
