"""What the bytes of a run were: payload by kind; it reads no file.

Kinds are those of the ledger. Headers of packets are no payload; the table has the total with them as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.folder import Run
from slfac_sim.analysis.format import amount
from slfac_sim.analysis.style import HEIGHT_MM, INK, fill, look, stacked_canvas

MAIN = False
ONE_RUN = False

_NAMES = {
    "smashed_up": "activations, up",
    "smashed_down": "gradients, down",
    "middle_down": "activations of the body, down",
    "middle_up": "their gradients, up",
    "labels": "labels, up",
    "model_up": "device halves, up",
    "model_down": "averages, down",
}


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
    for one in series:
        for kind, nbytes in one.sent_bytes.items():
            yield {"run": one.label, "kind": kind, "payload_bytes": nbytes, "wire_bytes": ""}
        total = sum(one.sent_bytes.values())
        yield {"run": one.label, "kind": "total", "payload_bytes": total, "wire_bytes": one.wire_bytes}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of one or several runs: one group of bars for each kind that one of them sent."""
    known = list(dict.fromkeys(kind for one in series for kind in one.sent_bytes))
    kinds = [kind for kind in known if any(one.sent_bytes.get(kind) for one in series)] or known
    height_mm = max(0.7 * HEIGHT_MM, 4.0 * len(kinds) * len(series))
    figure, (axes,) = stacked_canvas(1, height_mm, legend_rows=len(series))
    thick = 0.8 / len(series)
    for index, one in enumerate(series):
        places = [kind + thick * (index - (len(series) - 1) / 2) for kind in range(len(kinds))]
        megabytes = [one.sent_bytes.get(kind, 0) / 1e6 for kind in kinds]
        style: dict[str, Any] = {
            "color": look(index).colour,
            "hatch": fill(index).hatch,
            "edgecolor": INK,
            "linewidth": 0.4,
        }
        bars = axes.barh(places, megabytes, 0.9 * thick, label=one.label, **style)
        total = sum(megabytes) or 1.0
        texts = [f"{amount(mb)} MB, {100 * mb / total:.2g} %" if mb else "none" for mb in megabytes]
        axes.bar_label(bars, texts, padding=2, fontsize=6.5, color=INK)
    axes.set_yticks(range(len(kinds)), [_NAMES.get(kind, kind) for kind in kinds])
    axes.invert_yaxis()
    axes.set_xlim(0.0, axes.get_xlim()[1] * 1.35)
    axes.set_xlabel("payload sent (MB)")
    figure.legend(loc="outside upper left")
    return figure
