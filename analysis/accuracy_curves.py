"""Accuracy against something that grows while a run learns; it does not know whether seconds or bytes.

The vertical axis shows accuracy on the logarithm of the error, -log10(1 - accuracy): each halving of the
error has the same height, so that 90, 95, 97 and 99 % are as easy to tell apart as 10 and 50 %.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from slfac_sim.analysis.format import NOT_REACHED, UNTRAINED, percent
from slfac_sim.analysis.laying_out import broken, note
from slfac_sim.analysis.style import (
    FAINT,
    HEIGHT_MM,
    INK,
    Look,
    height_mm,
    legend,
    legend_label,
    look,
    stacked_canvas,
)
from slfac_sim.analysis.ticks import plain_axis
from slfac_sim.foundation.arrays import Floats

_TICKS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999)
_LEGEND_CHARACTERS = 60  # in one line of a column
LEAST_ERROR = 1e-4  # a test set of 10,000 shows no smaller one; keeps 100 % on the paper


@dataclass(frozen=True)
class Series:
    """One run on the axes: `x` and `accuracy` [evaluations], and where it reached each target, or None."""

    label: str
    x: Floats
    accuracy: Floats
    reached_at: Mapping[float, float | None]

    def is_untrained(self, target: float) -> bool:
        """Whether the untrained model met `target`: nothing was needed, and nothing is told of it."""
        return bool(self.x.size) and self.x[0] == 0.0 and self.accuracy[0] >= target


def reached_at(x: Floats, accuracy: Floats, targets: Iterable[float]) -> dict[float, float | None]:
    """Return where the curve first shows at least each target, None where it does not."""
    above = {target: np.flatnonzero(accuracy >= target) for target in targets}
    return {target: float(x[places[0]]) if places.size else None for target, places in above.items()}


def scaled(series: Sequence[Series], scale: float) -> list[Series]:
    """Return `series` in a unit that is `scale` of theirs."""
    return [
        replace(
            run,
            x=run.x / scale,
            reached_at={t: None if at is None else at / scale for t, at in run.reached_at.items()},
        )
        for run in series
    ]


def accuracy_table(series: Sequence[Series], x_name: str) -> Iterator[dict[str, Any]]:
    """Yield one row for each evaluation of each run."""
    for run in series:
        for x, accuracy in zip(run.x, run.accuracy, strict=True):
            yield {"run": run.label, x_name: float(x), "accuracy": float(accuracy)}


def draw_accuracy(series: Sequence[Series], x_label: str, amount: Callable[[float], str]) -> Figure:
    """Return the figure; `amount` writes a place on the horizontal axis as text (``203 s``).

    One run is annotated at every target. Several are compared at the highest target that any of them
    reached; the numbers then stand in the legend, where they cannot collide.
    """
    targets = sorted({target for run in series for target in run.reached_at})
    reached = [t for t in targets if any(_trained_at(run, t) is not None for run in series)]
    compared = reached[-1] if reached and len(series) > 1 else None
    labels = [
        legend_label("\n".join(broken(_label(run, compared, amount), _LEGEND_CHARACTERS))) for run in series
    ]
    rows = sum(label.count("\n") + 1 for label in labels)
    figure, (axes,) = stacked_canvas(1, height_mm(HEIGHT_MM, len(series)), rows)
    _scale(axes, series)
    for target in targets:
        axes.axhline(target, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
    for index, (run, label) in enumerate(zip(series, labels, strict=True)):
        shown = np.minimum(run.accuracy, 1 - LEAST_ERROR)
        axes.plot(run.x, shown, label=legend_label(label), clip_on=False, **look(index).outlined)
        if compared is not None:
            _drop(axes, run, look(index), _trained_at(run, compared))
    if compared is None:
        _annotate(axes, series[0], reached, amount)
    axes.set_xlabel(x_label)
    axes.set_ylabel("test accuracy (log-error scale)")
    legend(figure)
    return figure


def _trained_at(run: Series, target: float) -> float | None:
    """Return where training reached `target`; None where it did not, or had not to."""
    return None if run.is_untrained(target) else run.reached_at.get(target)


def _label(run: Series, compared: float | None, amount: Callable[[float], str]) -> str:
    if compared is None:
        met = [percent(target) for target in sorted(run.reached_at) if run.is_untrained(target)]
        return run.label + (f"; untrained already at {', '.join(met)}" if met else "")
    if run.is_untrained(compared):
        return f"{run.label}: {percent(compared)} {UNTRAINED}"
    at = run.reached_at.get(compared)
    return f"{run.label}: {percent(compared)} " + (NOT_REACHED if at is None else f"at {amount(at)}")


def _mark(axes: Axes, run: Series, style: Look, at: float) -> float:
    accuracy = float(np.interp(at, run.x, np.minimum(run.accuracy, 1 - LEAST_ERROR)))
    axes.plot(at, accuracy, style.marker, color=style.colour, markersize=5, markeredgecolor=INK, zorder=3)
    return accuracy


def _drop(axes: Axes, run: Series, style: Look, at: float | None) -> None:
    if at is not None and run.x.size:
        axes.vlines(at, 0.0, _mark(axes, run, style, at), color=style.colour, linewidth=0.6, zorder=1)


def _annotate(axes: Axes, run: Series, reached: Sequence[float], amount: Callable[[float], str]) -> None:
    highest = {run.reached_at[target]: target for target in reached}  # one evaluation may pass several
    for at, target in highest.items():
        if at is None or run.x.size == 0:
            continue
        late = at > 0.55 * axes.get_xlim()[1]  # keep the text on the paper, and off the rising curve
        note(
            axes,
            f"{percent(target)} at {amount(at)}",
            (at, _mark(axes, run, look(0), at)),
            (-5, 5) if late else (6, -4),
            horizontalalignment="right" if late else "left",
            verticalalignment="bottom" if late else "top",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            zorder=1,  # over the target lines, under the curve: a label never hides data
        )


def _scale(axes: Axes, series: Sequence[Series]) -> None:
    best = [np.minimum(run.accuracy, 1 - LEAST_ERROR).max(initial=0.5) for run in series]
    log_error_axis(axes, max([*best, *(t for run in series for t in run.reached_at)]))
    plain_axis(axes.xaxis)
    axes.set_xlim(0.0, max(run.x.max(initial=0.0) for run in series) * 1.03 or 1.0)


def log_error_axis(axes: Axes, top: float) -> None:
    """Make the vertical axis one of accuracy on the logarithm of the error, from 0 to just above `top`."""
    axes.set_yscale("function", functions=(_height, _accuracy))
    axes.set_ylim(0.0, float(_accuracy(_height(np.array(min(top, 1 - LEAST_ERROR))) + 0.08)))
    axes.yaxis.set_major_locator(FixedLocator(_TICKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: percent(value)))


def _height(accuracy: Floats) -> Floats:
    return -np.log10(np.maximum(1.0 - accuracy, LEAST_ERROR / 10))


def _accuracy(height: Floats) -> Floats:
    return 1.0 - 10.0**-height
