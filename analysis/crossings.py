"""Where curves of accuracy cross a target, and how accurate runs are in the end; it knows arrays alone.

A run that never reaches its target is *censored*: it is known to need more than T, the time of its last
evaluation. A run whose *untrained* model meets the target is censored on the other side: training had nothing
to do. `slfac_sim.analysis.statistics` says what several of them are worth together.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from slfac_sim.foundation.arrays import Floats

WINDOW = 3  # evaluations in a smoothed accuracy
EQUAL_POINTS = 0.005  # final accuracies that are called equal differ by at most half a point
ROUNDING = 1e-12  # of a difference of two means


@dataclass(frozen=True)
class Crossing:
    """Where a curve first reached its target: after `bracket[0]` and at or before `bracket[1]` = `at`.

    `at` is the place (seconds, or bytes) of the evaluation that showed it. If it is `censored`, no
    evaluation did: `at` is the place of the last one, and the bracket ends at infinity. If it is `untrained`,
    the evaluation at place 0, before any training, met the target already, and 0 is a bound above.
    """

    at: float
    bracket: tuple[float, float]
    censored: bool
    untrained: bool = False


def first_crossing(at: ArrayLike, accuracy: ArrayLike, target: float) -> Crossing:
    """Return where the curve [evaluations] first shows at least `target`, by a single evaluation.

    An evaluation at place 0 is that of the untrained model.
    """
    places, shown = _curve(at, accuracy)
    return _crossing(places, shown, shown, target)


def smoothed_crossing(at: ArrayLike, accuracy: ArrayLike, target: float, window: int = WINDOW) -> Crossing:
    """Return where the mean over the last `window` evaluations first is at least `target`.

    The mean is stamped with the latest of its evaluations, so a crossing uses nothing of the future.
    """
    places, shown = _curve(at, accuracy)
    means = np.full(shown.shape, -np.inf)
    for end in range(window, shown.size + 1):
        means[end - 1] = mean_accuracy(shown[end - window : end])
    return _crossing(places, shown, means, target)


def mean_accuracy(accuracies: ArrayLike) -> float:
    """Return the mean of `accuracies` [n], each a share of whole right answers, rounded once; NaN for none.

    So equal ones have exactly that mean, and a mean on the target counts as on it.
    """
    shown = np.asarray(accuracies, dtype=np.float64)
    if not shown.size or not np.isfinite(shown).all():
        return float(shown.mean()) if shown.size else math.nan
    return float(sum(map(_share, shown.tolist()), Fraction(0)) / shown.size)


@functools.lru_cache(100_000)
def _share(accuracy: float) -> Fraction:
    """Return the share of a million answers or fewer that `accuracy` was rounded from; else what it is."""
    share = Fraction(accuracy).limit_denominator(1_000_000)
    return share if float(share) == accuracy else Fraction(accuracy)


def equal_accuracy(
    curves: Sequence[tuple[ArrayLike, ArrayLike]],
    others: Sequence[tuple[ArrayLike, ArrayLike]],
    target: float,
) -> bool:
    """Say whether two variants may be called equally accurate at `target`.

    They may if every run of both, each a pair (places, accuracy), crosses the target smoothed, and their
    means over the last 3 evaluations, averaged over the runs, are within half a point of each other.
    """
    if not (curves and others):
        return False
    if any(smoothed_crossing(at, accuracy, target).censored for at, accuracy in [*curves, *others]):
        return False
    finals = [mean_accuracy([final_accuracy(accuracy) for _, accuracy in side]) for side in (curves, others)]
    return abs(finals[0] - finals[1]) <= EQUAL_POINTS + ROUNDING


def final_accuracy(accuracy: ArrayLike, window: int = WINDOW) -> float:
    """Return the mean of the last `window` evaluations, of all where there are fewer; NaN without any."""
    return mean_accuracy(np.asarray(accuracy, dtype=np.float64)[-window:])


def _curve(at: ArrayLike, accuracy: ArrayLike) -> tuple[Floats, Floats]:
    places, shown = np.asarray(at, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    if places.shape != shown.shape or places.ndim != 1:
        raise ValueError(f"a curve needs one accuracy for each place (got {shown.shape} for {places.shape})")
    return places, shown


def _crossing(places: Floats, shown: Floats, judged: Floats, target: float) -> Crossing:
    """Return where `judged`, which is `shown` or made of it, first is at least `target`."""
    if shown.size and places[0] == 0.0 and shown[0] >= target:
        return Crossing(0.0, (0.0, 0.0), censored=False, untrained=True)
    above = np.flatnonzero(judged >= target)
    if above.size == 0:
        last = float(places[-1]) if places.size else 0.0
        return Crossing(last, (last, math.inf), censored=True)
    index = int(above[0])
    before = float(places[index - 1]) if index else 0.0
    return Crossing(float(places[index]), (before, float(places[index])), censored=False)
