"""Where the simulated time went: the parts of the critical path, stacked; it reads no file.

One run is shown round by round, and its bottleneck named; several as one bar each. What comes after the
last round (the last average is handed out) is in the table, and in the shares of the legend.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from slfac_sim.analysis.attribution import PARTS, Slice, attribute
from slfac_sim.analysis.bars import stack
from slfac_sim.analysis.bottleneck import bottleneck
from slfac_sim.analysis.format import share
from slfac_sim.analysis.laying_out import broken
from slfac_sim.analysis.rows import recorded
from slfac_sim.analysis.style import canvas, legend, part_fill
from slfac_sim.analysis.ticks import whole_numbers
from slfac_sim.ledger.folder import Run

MAIN = True
ONE_RUN = False

_SEEN = 5e-4  # of the whole: smaller parts are left to the table
_WIDE = 56  # letters of a line over the whole figure
_WRAP = 18  # characters of a run's label beside its bar


@dataclass(frozen=True)
class Series:
    """One run: the parts of its critical path and of each round, in seconds; its bottleneck in words."""

    label: str
    until_s: float
    parts_s: dict[str, float]
    rounds: Sequence[Slice]
    bottleneck: str


def data(run: Run) -> Series:
    """Return the parts of the critical path to the end of the run."""
    path = attribute(recorded(run))
    sentence = bottleneck(path).sentence
    return Series(run.label, path.until_s, path.parts_s, path.rounds, sentence)


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each round of each run: where it lies on the clock, and the seconds of each part."""
    for run in series:
        for row in run.rounds:
            number = "after the last" if row.round is None else row.round
            yield {"run": run.label, "round": number, "from_s": row.from_s, "to_s": row.to_s, **row.parts_s}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of one or several runs."""
    several = len(series) > 1
    whole_s = sum(run.until_s for run in series)
    shown = [part for part in PARTS if sum(run.parts_s[part] for run in series) > _SEEN * whole_s]
    figure, axes = canvas(legend_rows=-(-len(shown) // 2) + 2)
    if not several:
        rounds = [row for row in series[0].rounds if row.round is not None] or series[0].rounds
        parts_s, places = [row.parts_s for row in rounds], [row.round or 0 for row in rounds]
        axes.set_xlabel("round")
        axes.set_ylabel("time on the critical path (s)")
        whole_numbers(axes.xaxis)
    else:
        parts_s, places = [run.parts_s for run in series], list(range(len(series)))
        axes.set_xlabel("time on the critical path (s)")
        axes.set_yticks(places, ["\n".join(broken(run.label, _WRAP)) for run in series])
        axes.invert_yaxis()
    drawn = ((_name(part, series), part_fill(part), [parts[part] for parts in parts_s]) for part in shown)
    layers, _ = stack(axes, places, drawn, width=0.6 if several else 0.8, along_x=several)
    title = None if several else "\n".join([series[0].label, *broken(series[0].bottleneck, _WIDE)])
    legend(figure, handles=layers, ncols=2, title=title, handlelength=1.8)
    return figure


def _name(part: str, series: Sequence[Series]) -> str:
    if len(series) > 1:
        return part
    return f"{part}, {share(series[0].parts_s[part] / series[0].until_s, 2)}"
