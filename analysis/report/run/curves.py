"""What was learnt: every metric over simulated time, accuracy over bytes and over energy, and by class."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slfac_sim.analysis.format import fixed_percent, measured, one_decimal, quantity, target_words, unit_of
from slfac_sim.analysis.report import cells
from slfac_sim.analysis.report.blocks import Block, Cell, Chart, Table
from slfac_sim.analysis.report.classes import by_class
from slfac_sim.analysis.report.lines import level, line, titled
from slfac_sim.analysis.rows import rows_if_there
from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import ACCURACY
from slfac_sim.ledger.folder import Curve, Run
from slfac_sim.ledger.measured import Series

TITLE = "Learning"
_LOSS = "loss"
_CLOSE = 0.06  # of the accuracy: names of levels nearer than that would lie on each other
_SAID = "%{x:.1f} s: %{y:.2%}"
_MOST_ROWS = 400  # of a table of evaluations; of more every so manieth, and the last


@dataclass(frozen=True)
class _Learnt:
    """A run's evaluations: its curve, its metrics, the joules of all devices until each, if they are told."""

    curve: Curve
    metrics: Series
    drawn_j: Sequence[float]

    @property
    def times_s(self) -> list[float]:
        return [float(at_s) for at_s in self.curve.simulated_s]


def blocks(run: Run) -> Iterator[Block]:
    """Yield the curves that the run has, accuracy first."""
    curve = run.curve()
    if not len(curve.round):
        return
    spent = rows_if_there(run, ("spent",))["spent"]
    drawn_j = [row["devices_j"] for row in spent] if len(spent) == len(curve.round) else []
    learnt = _Learnt(curve, run.measured, drawn_j)
    yield _over_time(run, learnt)
    yield from _other_shares(learnt)
    yield _losses(run, learnt)
    yield _over(run, learnt, "payload bytes", curve.bytes_total.tolist(), "B", "delivered payload")
    if drawn_j:
        yield _over(run, learnt, "energy", drawn_j, "J", "energy drawn by all devices")
    yield from by_class(run)
    yield _table(learnt)


def _over_time(run: Run, learnt: _Learnt) -> Chart:
    times_s, accuracy = learnt.times_s, learnt.curve.accuracy.tolist()
    traces = [line("test accuracy", times_s, accuracy, 0, _SAID)]
    traces += _without_codec(learnt)
    best = int(np.argmax(accuracy))
    summary = (
        f"Test accuracy begins at {fixed_percent(accuracy[0], 2)}, is highest,"
        f" {fixed_percent(accuracy[best], 2)}, at {one_decimal(times_s[best])} s,"
        f" and ends at {fixed_percent(accuracy[-1], 2)}."
    )
    traces += _levels(run, times_s)
    layout = _layout("simulated time (s)", "test accuracy")
    return Chart("Test accuracy over simulated time", summary, traces, layout, height_px=420)


def _without_codec(learnt: _Learnt) -> Iterator[dict[str, Any]]:
    """Yield the accuracy of the same models without the codec, where it was measured and differs."""
    with_codec, without = learnt.curve.accuracy, learnt.curve.accuracy_no_codec
    there = np.isfinite(without)
    if (with_codec[there] != without[there]).any():
        times_s = learnt.curve.simulated_s[there].tolist()
        yield line("the same model without the codec", times_s, without[there].tolist(), 1, _SAID)


def _levels(run: Run, ends: Sequence[float]) -> list[dict[str, Any]]:
    """Return a level line for each target of accuracy; of those close together the highest names all."""
    targets = sorted(
        (target for target in run.times_s if target.metric == ACCURACY), key=lambda aim: aim.value
    )
    lines, names = [], list[str]()
    for target, above in itertools.zip_longest(targets, targets[1:]):
        names.append(target_words(target))
        close = above is not None and above.value - target.value < _CLOSE
        name = f"target{'s' * (len(names) > 1)} {', '.join(names)}"
        lines.append(level("" if close else name, ends, target.value))
        names = names if close else []
    return lines


def _layout(x: str, y: str) -> dict[str, Any]:
    layout = titled(x, y)
    layout["yaxis"] |= {"tickformat": ".0%"}
    return layout


def _other_shares(learnt: _Learnt) -> Iterator[Chart]:
    """Yield the other metrics from 0 to 1, of classes and of devices, on one chart."""
    known = {
        name: values
        for name, values in learnt.metrics.items()
        if METRICS[name].is_share and name != ACCURACY and any(value is not None for value in values)
    }
    if not known:
        return
    traces = [
        line(METRICS[name].title, learnt.times_s, values, place, _SAID)
        for place, (name, values) in enumerate(known.items())
    ]
    ends = ", ".join(f"{METRICS[name].title} {measured(name, values[-1])}" for name, values in known.items())
    layout = _layout("simulated time (s)", "share")
    yield Chart("Other metrics over simulated time", f"In the last evaluation: {ends}.", traces, layout)


def _losses(run: Run, learnt: _Learnt) -> Chart:
    losses = learnt.metrics[_LOSS]
    said = "%{x:.1f} s: %{y:.4g}"
    traces = [line("test loss", learnt.times_s, losses, 0, said)]
    rounds = rows_if_there(run, ("rounds",))["rounds"]
    if rounds:
        ended_s, trained = ([row[name] for row in rounds] for name in ("at_s", "loss"))
        traces.append(line("training loss, mean of the round", ended_s, trained, 1, said))
    pairs = zip(losses, learnt.times_s, strict=True)
    known = [(value, at_s) for value, at_s in pairs if value is not None]
    summary = "No test loss was measured."
    if known:
        least, at_s = min(known)
        end = f"{known[-1][0]:.4g} in the end"
        summary = f"Test loss is least, {least:.4g}, at {one_decimal(at_s)} s, and {end}."
    return Chart("Loss over simulated time", summary, traces, titled("simulated time (s)", "loss"))


def _over(run: Run, learnt: _Learnt, what: str, spent: Sequence[float], unit: str, axis: str) -> Chart:
    """Return test accuracy over what had been spent until each evaluation."""
    factor, name = unit_of(spent, unit)
    scaled = [value / factor for value in spent]
    accuracy = learnt.curve.accuracy.tolist()
    traces = [line("test accuracy", scaled, accuracy, 0, f"%{{x:.4g}} {name}: %{{y:.2%}}")]
    best = int(np.argmax(accuracy))
    summary = (
        f"The best, {fixed_percent(accuracy[best], 2)}, is reached after {quantity(spent[best], unit)};"
        f" {quantity(spent[-1], unit)} until the last evaluation."
    )
    traces += _levels(run, scaled)
    return Chart(f"Test accuracy over {what}", summary, traces, _layout(f"{axis} ({name})", "test accuracy"))


def _table(learnt: _Learnt) -> Table:
    names = [name for name, values in learnt.metrics.items() if any(value is not None for value in values)]
    head = ["round", "simulated time", *(METRICS[name].title for name in names), "payload"]
    head += ["energy of devices"] * bool(learnt.drawn_j)
    rows = list(_rows(learnt, names))
    step = -(-len(rows) // _MOST_ROWS)
    kept = rows[::step] if (len(rows) - 1) % step == 0 else [*rows[::step], rows[-1]]
    title = "Evaluations" if step == 1 else f"Evaluations, every {step}th of {len(rows):,}"
    return Table(title, head, kept, folded=True)


def _rows(learnt: _Learnt, names: Sequence[str]) -> Iterator[list[Cell]]:
    sent = learnt.curve.bytes_total.tolist()
    for place, number in enumerate(learnt.curve.round.tolist()):
        values = [_cell(name, learnt.metrics[name][place]) for name in names]
        drawn = [cells.measured(learnt.drawn_j[place], "J")] if learnt.drawn_j else []
        row = [cells.whole(number), cells.seconds(learnt.times_s[place]), *values]
        yield [*row, cells.measured(sent[place], "B"), *drawn]


def _cell(metric: str, value: float | None) -> Cell:
    return cells.NONE if value is None else Cell(measured(metric, value), value)
