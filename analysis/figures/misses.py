"""Who missed a round and why, and how many hosts were down meanwhile; it reads no file.

Runs in which nobody missed anything and nothing was down have no such figure.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from slfac_sim.analysis.bars import stack
from slfac_sim.analysis.laying_out import broken
from slfac_sim.analysis.missed import Missed
from slfac_sim.analysis.missed import missed as data
from slfac_sim.analysis.style import fill, head, legend_rows, stacked_canvas
from slfac_sim.analysis.ticks import whole_numbers

__all__ = ["MAIN", "ONE_RUN", "data", "draw", "table"]

MAIN = True  # in whatever run there is anything of it
ONE_RUN = True
_FILLS = (3, 0, 6, 4, 1, 5, 2, 7)
_LETTERS, _SHORT = 48, 18  # in a line of the legend, and of reasons that stand two in a line


def table(series: Sequence[Missed]) -> Iterator[dict[str, Any]]:
    """Yield one row for each round."""
    for run in series:
        for number in run.rounds:
            missed = {f"missed: {reason}": of.get(number, 0) for reason, of in run.missed.items()}
            down = {f"down: {reason}": of.get(number, 0.0) for reason, of in run.down.items()}
            yield {"run": run.label, "round": number, **missed, **down}


def draw(series: Sequence[Missed]) -> Figure:
    """Return the figure of the first run: a panel of misses and, where hosts were down, one of these."""
    run = series[0]
    both = ((run.missed, "devices that missed\nthe round"), (run.down, "hosts down\n(mean)"))
    shown = [(counts, label) for counts, label in both if counts]
    rows = 2 + sum(legend_rows(names := _names(counts), _columns(names)) + 1 for counts, _ in shown)
    figure, panels = stacked_canvas(len(shown) or 1, 36.0 if len(shown) > 1 else 55.0, legend_rows=rows)
    for axes, (counts, label) in zip(panels, shown, strict=False):
        _stack(axes, run.rounds, counts)
        if counts is run.missed:
            axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_ylabel(label)
        columns = _columns(_names(counts))
        axes.legend(
            loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=columns, handlelength=1.6, columnspacing=1.2
        )
    panels[-1].set_xlabel("round")
    head(figure, run.label)
    return figure


def _by_size(counts: Mapping[str, Mapping[int, float]]) -> list[str]:
    return sorted(counts, key=lambda reason: (-sum(counts[reason].values()), reason))


def _names(counts: Mapping[str, Mapping[int, float]]) -> list[str]:
    """Return the reasons as the legend has them: whole, in lines that fit."""
    return ["\n".join(broken(reason, _LETTERS)) for reason in _by_size(counts)]


def _columns(names: Sequence[str]) -> int:
    return 2 if all(len(name) <= _SHORT for name in names) else 1


def _stack(axes: Axes, rounds: Sequence[int], counts: Mapping[str, Mapping[int, float]]) -> None:
    names = _names(counts)
    looks = [fill(_FILLS[place % len(_FILLS)]) for place in range(len(names))]
    heights = [[float(counts[reason].get(number, 0)) for number in rounds] for reason in _by_size(counts)]
    stack(axes, rounds, zip(names, looks, heights, strict=True))
    axes.set_xlim(0.4, max(rounds, default=1) + 0.6)
    whole_numbers(axes.xaxis)
