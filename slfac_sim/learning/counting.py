"""What an evaluation leaves of the models that it measured: a row of `evals`, and the counts beside it."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from slfac_sim.foundation.metrics import METRICS, Counts
from slfac_sim.learning.batches import Indices
from slfac_sim.learning.evaluation import Score, mean_score
from slfac_sim.learning.ground import Ground

Scored = tuple[Score, Sequence[str]]
"""The score of a model on the test set, and the devices that have it."""


def figures(scores: Sequence[Scored], ground: Ground) -> dict[str, Any]:
    """Return the figures of a row of `evals`, means over the devices, and `counts`.

    These are the rows of the ledger's tables `MEASURED`, without their round. Answers are counted as often
    as devices have their model, in the smallest whole numbers.
    """
    smallest = math.gcd(*(len(names) for _, names in scores))
    weighted = [(score, len(names) // smallest) for score, names in scores]
    counts = {"classes": list(_classes(weighted, ground)), "test_shares": list(_shares(scores, ground))}
    return {**mean_score(weighted), "counts": counts}


def metrics_of(told: Mapping[str, Any], names: Iterable[str]) -> dict[str, float | None]:
    """Return the metrics `names` of the figures that `figures` returned; None where nothing was counted."""
    rows = told.get("counts", {})
    classes = [row[1:4] for row in rows.get("classes", ())]
    devices = [row[1:] for row in rows.get("test_shares", ())]
    counts = Counts(classes, devices, told["accuracy"], told["loss"])
    return {name: METRICS[name].of(counts) for name in names}


def _classes(scores: Sequence[tuple[Score, int]], ground: Ground) -> Iterator[tuple[Any, ...]]:
    """Yield, for each class that has samples or was an answer, its row of `classes`."""
    cells: dict[int, dict[int, int]] = {}
    for score, weight in scores:
        for label, answer, samples in _cells(ground.data.test_labels, score.answers):
            row = cells.setdefault(label, {})
            row[answer] = row.get(answer, 0) + weight * samples
    for label in sorted(cells.keys() | {answer for row in cells.values() for answer in row}):
        row = dict(sorted(cells.get(label, {}).items()))
        taken = sum(each.get(label, 0) for each in cells.values())
        yield label, sum(row.values()), taken, row.get(label, 0), json.dumps(row)


def _cells(labels: Indices, answers: Indices) -> Iterator[tuple[int, int, int]]:
    """Yield the cells of the confusion matrix that are not 0: class, what was answered, how often."""
    base = int(answers.max()) + 1
    cells, counts = np.unique(labels * base + answers, return_counts=True)
    for cell, samples in zip(cells.tolist(), counts.tolist(), strict=True):
        yield (*divmod(cell, base), samples)


def _shares(scores: Sequence[Scored], ground: Ground) -> Iterator[tuple[str, int, int]]:
    """Yield, for each device whose model was measured, in device order, its row of `test_shares`."""
    owners, labels, devices = ground.test_owners, ground.data.test_labels, len(ground.names)
    samples = _of_each(owners, devices)
    scored = {name: score for score, names in scores for name in names}
    right_of = {id(score): _of_each(owners[score.answers == labels], devices) for score, _ in scores}
    for place, name in enumerate(ground.names):
        if name in scored:
            yield name, int(samples[place]), int(right_of[id(scored[name])][place])


def _of_each(owners: Indices, devices: int) -> Indices:
    """Return how many of the samples of `owners` are each device's, [devices]."""
    return np.bincount(owners[owners >= 0], minlength=devices)
