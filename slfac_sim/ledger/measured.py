"""The metrics of a run, evaluation by evaluation, from the tables `evals`, `classes` and `test_shares`."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.metrics import METRICS, Counts
from slfac_sim.foundation.targets import ACCURACY, Target

_COUNTS = (
    ("classes", ("round", "samples", "taken", "correct")),
    ("test_shares", ("round", "samples", "correct")),
)

Series = Mapping[str, Sequence[float | None]]


class Tables(Protocol):
    """Whatever has rows of tables: a ledger in the making, or one that is read."""

    def has(self, table: str) -> bool:
        """Return whether `table` is there with all its columns."""

    def tuples(self, table: str, names: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        """Return the columns `names` of all rows of `table`."""


def measured(ledger: Tables, names: Iterable[str] = tuple(METRICS)) -> Series:
    """Return, by each of the metrics `names`, its values over the evaluations, in order.

    None where an evaluation counted nothing that it could be of.
    """
    classes, devices = (
        _by_round(ledger.tuples(table, columns)) if ledger.has(table) else {} for table, columns in _COUNTS
    )
    evaluations = [
        Counts(classes.get(number, ()), devices.get(number, ()), accuracy, loss)
        for number, accuracy, loss in ledger.tuples("evals", ("round", "accuracy", "loss"))
    ]
    return {name: [METRICS[name].of(counts) for counts in evaluations] for name in names}


def times_to(at_s: Sequence[float], series: Series, targets: Iterable[Target]) -> dict[Target, float | None]:
    """Return when each target was first met at an evaluation, at `at_s`; None where it was not."""
    met = {target: map(target.met, series[target.metric]) for target in targets}
    return {target: next(compress(at_s, there), None) for target, there in met.items()}


def times_in(summary: Mapping[str, Any]) -> dict[Target, float | None]:
    """Return the times to targets that a `summary` tells; those of one metric together, the easier first."""
    by_metric = {ACCURACY: summary["time_to_accuracy_s"], **summary.get("time_to_metrics_s", {})}
    times = {
        Target(metric, float(value)): at_s
        for metric, values in by_metric.items()
        for value, at_s in values.items()
    }
    return {target: times[target] for target in sorted(times)}


def best_in(summary: Mapping[str, Any], metric: str) -> float | None:
    """Return the best value of `metric` that a `summary` tells; None where it tells none."""
    ends = summary["accuracy"] if metric == ACCURACY else summary.get("metrics", {}).get(metric, {})
    best: float | None = ends.get("best")
    return best


def confusion(ledger: Tables, round_number: int) -> NDArray[np.int64]:
    """Return the confusion matrix of an evaluation [classes, classes], rows by what samples are."""
    rows = [
        (label, {int(answer): samples for answer, samples in json.loads(taken_for).items()})
        for number, label, taken_for in ledger.tuples("classes", ("round", "class", "taken_for"))
        if number == round_number
    ]
    classes = max([-1, *(label for label, _ in rows), *(answer for _, row in rows for answer in row)]) + 1
    matrix = np.zeros((classes, classes), dtype=np.int64)
    for label, row in rows:
        matrix[label, list(row)] = list(row.values())
    return matrix


def _by_round(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    by_round: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for number, *counts in rows:
        by_round[number].append(tuple(counts))
    return dict(by_round)
