"""What the bytes of activations and gradients were for, round by round: ranges, symbols, indices, ...

It reads no file. Names of parts are the codecs' own; the table has all kinds of bodies.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.bars import stack
from slfac_sim.analysis.format import ACROSS, amount, kind_name, unit_of
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.analysis.style import fill, legend, nothing, stacked_canvas
from slfac_sim.analysis.ticks import whole_numbers
from slfac_sim.ledger.folder import Run

MAIN = False
ONE_RUN = True
TOO_OLD = "This run was recorded by a version that did not write down what the bytes were for."


@dataclass(frozen=True)
class Series:
    """One run: the rows of its table `parts`; none, where the run is too old."""

    label: str
    parts: Sequence[Mapping[str, Any]]


def data(run: Run) -> Series:
    """Return what the run's ledger says."""
    return Series(run.label, rows_if_there(run, ("parts",))["parts"])


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the ledger's table `parts`."""
    for run in series:
        for row in run.parts:
            yield {"run": run.label, **row}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run: a panel a direction, a stack of parts a round."""
    run = series[0]
    parts = sorted({row["part"] for row in run.parts if row["kind"] in ACROSS}, key=_size(run.parts))
    figure, panels = stacked_canvas(2, 32.0, legend_rows=2 + (len(parts) + 1) // 2)
    if not parts:
        return nothing(figure, run.label, TOO_OLD if not run.parts else "Nothing was sent across the cut.")
    sent = {kind: [row for row in run.parts if row["kind"] == kind] for kind in ACROSS}
    scale, unit = unit_of((row["bytes"] for rows in sent.values() for row in rows), "B")
    for axes, (kind, rows) in zip(panels, sent.items(), strict=True):
        rounds = sorted({row["round"] for row in rows})
        sizes = {(row["round"], row["part"]): row["bytes"] / scale for row in rows}
        heights = [[sizes.get((number, part), 0.0) for number in rounds] for part in parts]
        layers, _ = stack(axes, rounds, zip(parts, map(fill, range(len(parts))), heights, strict=True))
        whole_numbers(axes.xaxis)
        whole = amount(sum(row["bytes"] for row in rows) / scale)
        axes.set_title(f"{kind_name(kind)}: {whole} {unit}")
        axes.set_ylabel(f"{unit} a round")
    panels[0].tick_params(labelbottom=False)
    panels[1].set_xlabel("round")
    legend(figure, handles=layers, ncols=2, title=run.label)
    return figure


def _size(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return the order of parts in the stack: the largest first, at the bottom."""
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["part"]] += row["bytes"] * (row["kind"] in ACROSS)
    return lambda part: (-sums[part], part)
