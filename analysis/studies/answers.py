"""What a study says: times, ratios, crossovers and limits as numbers; it writes no text and draws nothing.

The runs of a combination are its seeds. Two lines are compared seed by seed, over the same learning seed and
the same air.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from slfac_sim.analysis.crossings import (
    Crossing,
    equal_accuracy,
    final_accuracy,
    first_crossing,
    mean_accuracy,
    smoothed_crossing,
)
from slfac_sim.analysis.statistics import (
    Interval,
    OverRuns,
    PairedRatio,
    VarianceSplit,
    over_runs,
    paired_ratio,
    share_interval,
    split_variance,
)
from slfac_sim.analysis.studies.study import BYTES, SECONDS, Combination, StudyPoints
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.targets import Target, hardest_first


@dataclass(frozen=True)
class Crossover:
    """Between the values `low` and `high` of x (numbers of the axis) the ratio passes 1.

    `at` is where, interpolated on logarithms, or NaN where a ratio is only bounded. `gains` says on which
    side the compared line is the faster one: ``below`` or ``above``.
    """

    low: float
    high: float
    at: float
    gains: str


def crossings(
    study: StudyPoints, points: Sequence[int], target: Target, smoothed: bool = False, over: str = SECONDS
) -> list[Crossing]:
    """Return where each of the points crosses `target`, on the scale `over`."""
    find = smoothed_crossing if smoothed else first_crossing
    curves = [study.columns["curve"][i] for i in points]
    return [find(curve[over], rising(curve, target), target.difficulty) for curve in curves]


def rising(curve: Mapping[str, Any], target: Target) -> Floats:
    """Return the metric of `target` over `curve`, upside down where less is better; NaN if not counted."""
    values = curve.get(target.metric, [None] * len(curve[SECONDS]))
    return np.array(values, dtype=np.float64) * (-1.0 if target.of.less_is_better else 1.0)


def to_target(
    study: StudyPoints, place: Combination, target: Target, smoothed: bool = False, over: str = SECONDS
) -> OverRuns | None:
    """Return what a combination needs to `target`, over its seeds.

    None if none of its points finished, or one of them does not tell of `over`.
    """
    if not tells(study, place.points, over):
        return None
    return over_runs(crossings(study, place.points, target, smoothed, over))


def tells(study: StudyPoints, points: Sequence[int], over: str) -> bool:
    """Say whether there are points, and all of them have their curve over `over`."""
    return bool(points) and all(study.columns["curve"][i].get(over) is not None for i in points)


def ratio(
    study: StudyPoints, panel: Mapping[str, str], rival: str, x: str, target: Target, smoothed: bool = False
) -> PairedRatio | None:
    """Return how many times sooner the line `rival` is at `target` than the baseline, at one panel and x.

    None if no seed has finished both; a seed of which only one has finished is no pair.
    """
    baseline, other = study.at(panel, study.baseline, x), study.at(panel, rival, x)
    seeds = {_seed(study, i): i for i in baseline.points}
    pairs = [(seeds[_seed(study, i)], i) for i in other.points if _seed(study, i) in seeds]
    if not pairs:
        return None
    sides = [crossings(study, side, target, smoothed) for side in zip(*pairs, strict=True)]
    return paired_ratio(*sides)


def main_target(study: StudyPoints) -> Target | None:
    """Return the target of the closing lines: the hardest that training every line reached in half its runs.

    Of several metrics it is the first that has such a target. If there is no such one, it is the target that
    most lines reached so, and of those most runs, of equals the easiest. None if the study has no targets.
    """
    for target in hardest_first(study.targets):
        if all(_half_reach(study, line, target) for line in study.lines):
            return target
    return max(sorted(study.targets), key=lambda target: _reach(study, target), default=None)


def crossovers(study: StudyPoints, panel: Mapping[str, str], rival: str, target: Target) -> list[Crossover]:
    """Return where along x the ratio passes 1; values at which it has no side are passed over."""
    axis = study.roles.x
    if axis is None or axis.numbers is None:
        return []
    return crossed(axis.numbers, [ratio(study, panel, rival, x, target) for x in study.xs])


def crossed(numbers: Sequence[float], ratios: Sequence[PairedRatio | None]) -> list[Crossover]:
    """Return where the ratio passes 1 along ascending `numbers`; a ratio without a side is passed over."""
    known = [(x, r, side(r)) for x, r in zip(numbers, ratios, strict=True) if r is not None and side(r)]
    places = []
    for (low, before, was), (high, after, now) in pairwise(known):
        if was != now:
            at = _between(low, high, before.middle, after.middle)
            places.append(Crossover(low, high, at, "below" if was > 0 else "above"))
    return places


def side(value: PairedRatio) -> int:
    """Return 1 where the middle of the ratio is above 1, -1 below, 0 where that is not known."""
    if value.mean is not None:
        return int(np.sign(value.mean.mean - 1.0))
    low, high = value.median
    return 1 if low > 1 else -1 if high < 1 else 0


def is_clear(value: PairedRatio) -> bool:
    """Say whether the interval of the ratio leaves 1 out; with a censored pair, or one seed, it cannot."""
    mean = value.mean
    return mean is not None and (mean.low > 1 or mean.high < 1)


def means(study: StudyPoints, place: Combination, column: str) -> dict[str, float]:
    """Return a column of mappings (``parts_s``, ``bytes``) averaged over seeds; empty if a point has none."""
    rows = [study.columns[column][i] for i in place.points]
    names = list(dict.fromkeys(name for row in rows if row for name in row))
    return {name: float(np.mean([row.get(name, 0.0) for row in rows])) for name in names if all(rows)}


def largest_part(study: StudyPoints, place: Combination) -> tuple[str, float] | None:
    """Return the largest part of the time of a combination, and its share; None without any."""
    parts = means(study, place, "parts_s")
    whole = sum(parts.values())
    if whole <= 0:
        return None
    part = max(parts, key=lambda name: parts[name])
    return part, parts[part] / whole


def accuracy_at(study: StudyPoints, points: Sequence[int], budget: float, over: str) -> Interval | None:
    """Return the accuracy of the last evaluation within `budget`, over seeds; nothing is interpolated."""
    shown = []
    for i in points:
        curve = study.columns["curve"][i]
        within = np.flatnonzero(np.asarray(curve[over], dtype=np.float64) <= budget * (1 + 1e-12))
        if within.size:
            shown.append(curve["accuracy"][int(within[-1])])
    return share_interval(shown) if shown and len(shown) == len(points) else None


def common_budget(study: StudyPoints, points: Sequence[int], over: str) -> float:
    """Return what the shortest of the points used in all; NaN without points.

    Points without a network, which send nothing, do not count as long as there are others.
    """
    curves = [study.columns["curve"][i] for i in points if study.columns["curve"][i][over]]
    sending = [curve for curve in curves if curve[BYTES][-1] > 0]
    ends = [curve[over][-1] for curve in sending or curves]
    return float(min(ends)) if ends else math.nan


def final_mean(study: StudyPoints, place: Combination, target: Target) -> float:
    """Return the mean of a target's metric in the last 3 evaluations, over seeds; NaN without points."""
    finals = [final_accuracy(rising(study.columns["curve"][i], target)) for i in place.points]
    return abs(mean_accuracy(finals))


def equally_accurate(study: StudyPoints, baseline: Combination, other: Combination, target: Target) -> bool:
    """Apply the rule of equal accuracy to two combinations."""
    sides = [[study.columns["curve"][i] for i in place.points] for place in (baseline, other)]
    curves = [[(curve[SECONDS], rising(curve, target)) for curve in side] for side in sides]
    return equal_accuracy(curves[0], curves[1], target.difficulty)


def shares_trainings(study: StudyPoints) -> bool:
    """Say whether one training was timed at several values of x, so that points along it are correlated."""
    if study.roles.x is None:
        return False
    seen: dict[str, set[str]] = {}
    for training, text in zip(study.columns["training"], study.columns[study.roles.x.path], strict=True):
        seen.setdefault(training, set()).add(text)
    return any(len(texts) > 1 for texts in seen.values())


def over_the_air(study: StudyPoints, axes: Mapping[str, str]) -> list[list[int]]:
    """Return the points over draws of the air [trainings][draws]; only draws that every training has."""
    by_training: dict[int, dict[int, int]] = {}
    for i in study.select(axes, air_draws=True):
        by_training.setdefault(study.columns["seed_learning"][i], {})[study.columns["seed_air"][i]] = i
    common = set.intersection(*map(set, by_training.values())) if by_training else set()
    return [[draws[seed] for seed in sorted(common)] for _, draws in sorted(by_training.items()) if common]


def variance(study: StudyPoints, axes: Mapping[str, str], target: Target | None) -> VarianceSplit | None:
    """Split the variance of the seconds to `target`, or of the whole run for None, into learning and air.

    None where there are fewer than 2 trainings or draws, or a run is censored, on either side.
    """
    table = over_the_air(study, axes)
    if len(table) < 2 or len(table[0]) < 2:
        return None
    if target is None:
        return split_variance([[study.columns["simulated_s"][i] for i in row] for row in table])
    crossed = [crossings(study, row, target) for row in table]
    if any(crossing.censored or crossing.untrained for row in crossed for crossing in row):
        return None
    return split_variance([[crossing.at for crossing in row] for row in crossed])


def _seed(study: StudyPoints, i: int) -> tuple[int, int]:
    return study.columns["seed_learning"][i], study.columns["seed_air"][i]


def _reach(study: StudyPoints, target: Target) -> tuple[int, int]:
    """Return how many lines training brought to `target` in half their runs, and how many runs in all."""
    reached = [_reached(study, line, target) for line in study.lines]
    return sum(_half_reach(study, line, target) for line in study.lines), sum(map(sum, reached))


def _half_reach(study: StudyPoints, line: str, target: Target) -> bool:
    reached = _reached(study, line, target)
    return bool(reached) and 2 * sum(reached) >= len(reached)


def _reached(study: StudyPoints, line: str, target: Target) -> list[bool]:
    """Say of each run of a line whether training brought it to `target`."""
    axis = study.roles.line
    points = study.select({axis.path: line} if axis is not None else {})
    return [not (each.censored or each.untrained) for each in crossings(study, points, target)]


def _between(low: float, high: float, before: float, after: float) -> float:
    if not (math.isfinite(before) and math.isfinite(after) and before > 0 and after > 0):
        return math.nan
    share = math.log(before) / (math.log(before) - math.log(after))
    if low > 0:
        return math.exp(math.log(low) + share * math.log(high / low))
    return low + share * (high - low)
