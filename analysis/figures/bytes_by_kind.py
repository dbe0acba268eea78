"""What the bytes of a run were: payload by kind; it reads no file.

Kinds are those of the ledger. Headers of packets are no payload; the table has the total with them as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.format import kind_name, quantity, share, unit_of
from slfac_sim.analysis.laying_out import broken
from slfac_sim.analysis.style import (
    HEIGHT_MM,
    INK,
    Fill,
    fill,
    head,
    kind_fill,
    legend,
    legend_label,
    look,
    stacked_canvas,
    text_pt,
)
from slfac_sim.analysis.ticks import plain_axis
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = False
_LETTERS = 18  # in a line of the name of a kind


@dataclass(frozen=True)
class Series:
    """One run: payload bytes of each kind, in the summary's order, and of all with headers, if known."""

    label: str
    sent_bytes: Mapping[str, int]
    wire_bytes: int | None


def data(run: Run) -> Series:
    """Return the bytes that the summary gives."""
    sent = {kind: nbytes for kind, nbytes in run.summary["bytes"].items() if kind != "total"}
    return Series(run.label, sent, run.summary.get("wire_bytes"))


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each run and kind, then one for all kinds."""
    for run in series:
        for kind, nbytes in run.sent_bytes.items():
            yield {"run": run.label, "kind": kind, "payload_bytes": nbytes, "wire_bytes": ""}
        total = sum(run.sent_bytes.values())
        yield {"run": run.label, "kind": "total", "payload_bytes": total, "wire_bytes": run.wire_bytes}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of one or several runs: one group of bars for each kind that one of them sent."""
    known = list(dict.fromkeys(kind for run in series for kind in run.sent_bytes))
    kinds = [kind for kind in known if any(run.sent_bytes.get(kind) for run in series)] or known
    height_mm = max(0.7 * HEIGHT_MM, 12.0 + 4.0 * len(kinds) * len(series))
    figure, (axes,) = stacked_canvas(1, height_mm, legend_rows=len(series))
    scale, unit = unit_of((nbytes for run in series for nbytes in run.sent_bytes.values()), "B")
    thick = 0.8 / len(series)
    for index, run in enumerate(series):
        places = [kind + thick * (index - (len(series) - 1) / 2) for kind in range(len(kinds))]
        sent = [run.sent_bytes.get(kind, 0) for kind in kinds]
        looks = [kind_fill(kind) if len(series) == 1 else _run_fill(index) for kind in kinds]
        colours, hatches = [look.colour for look in looks], [look.hatch for look in looks]
        style: dict[str, Any] = {"color": colours, "hatch": hatches, "edgecolor": INK, "linewidth": 0.4}
        bars = axes.barh(places, [nbytes / scale for nbytes in sent], 0.9 * thick, **style)
        total = sum(sent) or 1
        texts = [f"{quantity(n, 'B')}, {share(n / total, 2)}" if n else "none" for n in sent]
        axes.bar_label(bars, texts, padding=2, fontsize=text_pt(6.5), color=INK)
    axes.set_yticks(range(len(kinds)), ["\n".join(broken(kind_name(kind), _LETTERS)) for kind in kinds])
    axes.invert_yaxis()
    axes.set_xlim(0.0, axes.get_xlim()[1] * 1.35)
    plain_axis(axes.xaxis)
    axes.set_xlabel(f"payload sent ({unit})")
    _legend(figure, series)
    return figure


def _run_fill(index: int) -> Fill:
    return Fill(look(index).colour, fill(index).hatch)


def _legend(figure: Figure, series: Sequence[Series]) -> None:
    """Name the runs; the kinds of a single one have looks of their own."""
    if len(series) == 1:
        head(figure, series[0].label)
        return
    names = [legend_label(run.label) for run in series]
    legend(figure, [_run_fill(index).patch() for index in range(len(series))], names)
