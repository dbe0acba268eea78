"""The confusion matrix of the last evaluation: what samples of each class were taken for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from slfac_sim.analysis.format import fixed_percent, percent
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.analysis.style import head, ink_on, stacked_canvas, text_pt
from slfac_sim.foundation.arrays import Floats
from slfac_sim.ledger.folder import Run
from slfac_sim.ledger.measured import confusion

MAIN = False
ONE_RUN = True
_SIDE_MM = 66.0
_MOST_WITH_TEXT = 12  # classes that leave room for a number in each cell
_MOST_NAMED = 20  # whose numbers all stand at the axes
_LONGEST_NAME = 16  # letters beside an axis
_LEAST_SHOWN = 0.005  # a share that is no 0 when it is written in percent


@dataclass(frozen=True)
class Series:
    """One run: the round of its last evaluation, and `samples` [classes, classes], rows by what they are.

    `names` are those of the classes, if they have any.
    """

    label: str
    round: int
    samples: NDArray[np.int64]
    names: Sequence[str] = ()

    def name(self, label: int) -> str:
        """Return what the class `label` is called: by its number, where it has no name."""
        return self.names[label] if self.names else str(label)


def data(run: Run) -> Series | None:
    """Return the matrix of the last evaluation; None where the run is too old to have counted it."""
    rounds = [row["round"] for row in rows_if_there(run, ("classes",))["classes"]]
    names = run.summary.get("data", {}).get("class_names", ())
    return Series(run.label, rounds[-1], confusion(run.ledger, rounds[-1]), names) if rounds else None


def table(series: Sequence[Series]) -> Iterator[dict[str, Any]]:
    """Yield one row for each cell that is not 0."""
    for run in series:
        shares = _shares(run)
        for label, taken in np.argwhere(run.samples):
            named = {"class": run.name(label), "taken_for": run.name(taken)}
            cell = {**named, "samples": int(run.samples[label, taken])}
            yield {"run": run.label, "round": run.round, **cell, "share": float(shares[label, taken])}


def draw(series: Sequence[Series]) -> Figure:
    """Return the figure of the first run; shares of a class's samples add up to 1 along its row."""
    run = series[0]
    shares, classes = _shares(run), len(run.samples)
    figure, (axes,) = stacked_canvas(1, _SIDE_MM, legend_rows=3)
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0.0, 1.0), interpolation="nearest")
    if classes <= _MOST_WITH_TEXT:
        _write(axes, shares, image.to_rgba(shares))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(_MOST_NAMED, integer=True, steps=[1, 2, 5, 10]))
        if run.names:
            axis.set_major_formatter(FuncFormatter(lambda place, _: _tick(run, place)))
    axes.tick_params(length=0)
    if run.names:
        axes.tick_params("x", rotation=90)
    axes.set_xlabel("taken for class")
    axes.set_ylabel("test samples of class")
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.02, ticks=[0.0, 0.05, 0.2, 0.5, 1.0])
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: percent(share)))
    bar.set_label("share of the class")
    head(figure, f"{run.label}\n{_words(run, shares)}")
    return figure


def _shares(run: Series) -> Floats:
    """Return the cells as shares of their rows; 0 in the row of a class without test samples."""
    shares: Floats = run.samples / np.maximum(run.samples.sum(axis=1, keepdims=True), 1)
    return shares


def _tick(run: Series, place: float) -> str:
    """Return the name of the class at `place` of an axis, in short; nothing beside the classes."""
    if not 0 <= round(place) < len(run.names):
        return ""
    name = run.name(round(place))
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"


def _words(run: Series, shares: Floats) -> str:
    """Return how many answers are right, and which class is the worst, and what it is taken for."""
    right = fixed_percent(run.samples.trace() / run.samples.sum(), 2)
    there = np.flatnonzero(run.samples.sum(axis=1))
    worst = int(there[shares.diagonal()[there].argmin()])
    recall = fixed_percent(float(shares[worst, worst]), 1)
    words = f"after round {run.round}: {right} right; worst class {run.name(worst)}: {recall}"
    others = np.delete(shares[worst], worst)
    if not others.any():
        return words
    taken = int(np.where(np.arange(len(shares)) == worst, 0.0, shares[worst]).argmax())
    return f"{words}, most often taken for {run.name(taken)}"


def _write(axes: Axes, shares: Floats, colours: Floats) -> None:
    for (i, j), share in np.ndenumerate(shares):
        if share >= _LEAST_SHOWN:
            colour = ink_on(colours[i, j])
            axes.text(
                j, i, f"{100 * share:.0f}", ha="center", va="center", fontsize=text_pt(5.8), color=colour
            )
