"""Accuracy, and whatever else is aimed at, against something that grows while a run learns."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from slfac_sim.analysis.format import NOT_REACHED, UNTRAINED, target_words
from slfac_sim.analysis.laying_out import broken, note
from slfac_sim.analysis.metric_axis import metric_axis
from slfac_sim.analysis.metric_scale import LEAST_ERROR, is_log_error, metric_name
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
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import ACCURACY, Target
from slfac_sim.ledger.folder import Run
from slfac_sim.ledger.measured import measured, times_to

_PANEL_MM = 47.0  # of one of several
_SCALE = " (log-error scale)"
_NOTE_CHARACTERS = 26  # in half the width of a panel
_LEGEND_CHARACTERS = 60  # in one line of a column


@dataclass(frozen=True)
class Series:
    """One run on the axes: `x` and `accuracy` [evaluations], and where it reached each target, or None.

    `others` are, of each further metric that is aimed at, its values and where targets of it were reached. In
    the panel of one of these, `metric`, they stand in the place of accuracy.
    """

    label: str
    x: Floats
    accuracy: Floats
    reached_at: Mapping[float, float | None]
    others: "Mapping[str, tuple[Floats, Reached]]" = field(default_factory=dict, kw_only=True)
    metric: str = field(default=ACCURACY, kw_only=True)

    def is_untrained(self, target: float) -> bool:
        """Whether the untrained model met `target`: nothing was needed, and nothing is told of it."""
        met = bool(self.x.size) and Target(self.metric, target).met(float(self.accuracy[0]))
        return met and self.x[0] == 0.0

    def of(self, metric: str) -> "Self":
        """Return it as the panel of `metric` has it."""
        if metric == self.metric:
            return self
        nothing: tuple[Floats, Reached] = (np.full(self.x.shape, np.nan), {})
        values, reached = self.others.get(metric, nothing)
        return replace(self, accuracy=values, reached_at=reached, metric=metric)


Reached = Mapping[float, float | None]


def reached_at(
    x: Floats, accuracy: Floats, targets: Iterable[float], metric: str = ACCURACY
) -> dict[float, float | None]:
    """Return where the curve first shows at least each target, None where it does not."""
    aims = [Target(metric, target) for target in targets]
    times = times_to(x.tolist(), {metric: accuracy.tolist()}, aims)
    return {aim.value: at for aim, at in times.items()}


def others_of(run: Run, x: Floats) -> dict[str, tuple[Floats, Reached]]:
    """Return what `Series.others` are of a run whose evaluations lie at `x`. Raises `BadInput`."""
    targets: dict[str, list[float]] = {}
    for target in run.times_s:
        if target.metric != ACCURACY:
            targets.setdefault(target.metric, []).append(target.value)
    series = measured(run.ledger, targets) if targets else {}
    values = {metric: np.array(of_it, dtype=np.float64) for metric, of_it in series.items()}
    return {name: (values[name], reached_at(x, values[name], targets[name], name)) for name in targets}


def scaled(series: Sequence[Series], scale: float) -> list[Series]:
    """Return `series` in a unit that is `scale` of theirs."""

    def places(reached: Reached) -> Reached:
        return {target: None if at is None else at / scale for target, at in reached.items()}

    return [
        replace(
            run,
            x=run.x / scale,
            reached_at=places(run.reached_at),
            others={name: (values, places(reached)) for name, (values, reached) in run.others.items()},
        )
        for run in series
    ]


def accuracy_table(series: Sequence[Series], x_name: str) -> Iterator[dict[str, Any]]:
    """Yield one row for each evaluation of each run."""
    names = [name for name in _aimed(series) if name != ACCURACY]
    for run in series:
        values = {"accuracy": run.accuracy} | {name: run.of(name).accuracy for name in names}
        for place, x in enumerate(run.x.tolist()):
            there = {name: float(of_it[place]) for name, of_it in values.items()}
            yield {"run": run.label, x_name: x, **there}


def _aimed(series: Sequence[Series]) -> list[str]:
    """Return the metrics that the runs aim at, in the order of `METRICS`; accuracy where they aim at none."""
    aimed = {metric for run in series for metric in run.others}
    aimed |= {ACCURACY} if any(run.reached_at for run in series) or not aimed else set()
    return [metric for metric in METRICS if metric in aimed]


def draw_accuracy(series: Sequence[Series], x_label: str, amount: Callable[[float], str]) -> Figure:
    """Return the figure; `amount` writes a place on the horizontal axis as text (``203 s``).

    It has a panel for each metric that is aimed at. One run is annotated at every target. Several are
    compared at the hardest target that any of them reached; the numbers then stand in the legend, where they
    cannot collide.
    """
    panels = [[run.of(metric) for run in series] for metric in _aimed(series)]
    compared = [_hardest(panel) if len(series) > 1 else None for panel in panels]
    texts = [_label([panel[i] for panel in panels], compared, amount) for i in range(len(series))]
    labels = [legend_label("\n".join(broken(text, _LEGEND_CHARACTERS))) for text in texts]
    rows = sum(label.count("\n") + 1 for label in labels)
    usual = HEIGHT_MM if len(panels) == 1 else _PANEL_MM
    figure, all_axes = stacked_canvas(len(panels), height_mm(usual, len(series)), rows)
    for axes, panel, target in zip(all_axes, panels, compared, strict=True):
        _panel(axes, panel, labels, target)
        axes.set_ylabel(metric_name(panel[0].metric, _SCALE if len(panels) == 1 else " (log-error)"))
        if len(series) == 1:
            _annotate(axes, panel[0], amount)
    all_axes[-1].set_xlabel(x_label)
    legend(figure, handles=all_axes[0].get_legend_handles_labels()[0])
    return figure


def _panel(axes: Axes, series: Sequence[Series], labels: Sequence[str], compared: float | None) -> None:
    _scale(axes, series)
    for target in {target for run in series for target in run.reached_at}:
        axes.axhline(target, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)), zorder=0)
    for index, (run, label) in enumerate(zip(series, labels, strict=True)):
        axes.plot(run.x, _shown(run), label=label, clip_on=False, **look(index).outlined)
        if compared is not None:
            _drop(axes, run, look(index), _trained_at(run, compared))


def _shown(run: Series) -> Floats:
    """Return the values where they can be drawn: a logarithm of the error ends above 0."""
    return np.minimum(run.accuracy, 1 - LEAST_ERROR) if is_log_error(run.metric) else run.accuracy


def _targets(series: Sequence[Series]) -> list[float]:
    """Return the targets that training reached, the easier ones first."""
    reached = {target for run in series for target in run.reached_at if _trained_at(run, target) is not None}
    return sorted(reached, key=lambda target: Target(series[0].metric, target).difficulty)


def _hardest(series: Sequence[Series]) -> float | None:
    return next(reversed(_targets(series)), None)


def _trained_at(run: Series, target: float) -> float | None:
    """Return where training reached `target`; None where it did not, or had not to."""
    return None if run.is_untrained(target) else run.reached_at.get(target)


def _label(panels: Sequence[Series], compared: Sequence[float | None], amount: Callable[[float], str]) -> str:
    """Return the label of a run, which is in all `panels`: when it reached what is compared in each."""
    told = [_told(run, target, amount) for run, target in zip(panels, compared, strict=True)]
    met = [_words(run, target) for run in panels for target in run.reached_at if run.is_untrained(target)]
    if not any(told):
        return panels[0].label + (f"; untrained already at {', '.join(met)}" if met else "")
    return f"{panels[0].label}: {'; '.join(filter(None, told))}"


def _told(run: Series, compared: float | None, amount: Callable[[float], str]) -> str:
    if compared is None:
        return ""
    if run.is_untrained(compared):
        return f"{_words(run, compared)} {UNTRAINED}"
    at = run.reached_at.get(compared)
    return f"{_words(run, compared)} " + (NOT_REACHED if at is None else f"at {amount(at)}")


def _words(run: Series, target: float) -> str:
    return target_words(Target(run.metric, target))


def _mark(axes: Axes, run: Series, style: Look, at: float) -> float:
    accuracy = float(np.interp(at, run.x, _shown(run)))
    axes.plot(at, accuracy, style.marker, color=style.colour, markersize=5, markeredgecolor=INK, zorder=3)
    return accuracy


def _drop(axes: Axes, run: Series, style: Look, at: float | None) -> None:
    if at is not None and run.x.size:
        axes.vlines(at, 0.0, _mark(axes, run, style, at), color=style.colour, linewidth=0.6, zorder=1)


def _annotate(axes: Axes, run: Series, amount: Callable[[float], str]) -> None:
    highest = {
        run.reached_at[target]: target for target in _targets([run])
    }  # one evaluation may pass several
    for at, target in highest.items():
        if at is None or run.x.size == 0:
            continue
        late = at > 0.55 * axes.get_xlim()[1]  # keep the text on the paper, and off the rising curve
        note(
            axes,
            "\n".join(broken(f"{_words(run, target)} at {amount(at)}", _NOTE_CHARACTERS)),
            (at, _mark(axes, run, look(0), at)),
            (-5, 5) if late else (6, -4),
            horizontalalignment="right" if late else "left",
            verticalalignment="bottom" if late else "top",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            zorder=1,  # over the target lines, under the curve: a label never hides data
        )


def _scale(axes: Axes, series: Sequence[Series]) -> None:
    best = [float(np.nan_to_num(_shown(run)).max(initial=0.0)) for run in series]
    metric_axis(axes, series[0].metric, max([*best, *(t for run in series for t in run.reached_at)]))
    plain_axis(axes.xaxis)
    axes.set_xlim(0.0, max(run.x.max(initial=0.0) for run in series) * 1.03 or 1.0)
