"""What a study says: times, ratios, crossovers and limits as numbers; it writes no text and draws nothing.

A *combination* is one value of every axis; its runs are its seeds. Two lines are compared seed by seed, over
the same learning seed and the same air.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from slfac_sim.analysis.statistics import (
    Crossing,
    Interval,
    OverRuns,
    PairedRatio,
    VarianceSplit,
    equal_accuracy,
    final_accuracy,
    first_crossing,
    mean_accuracy,
    mean_interval,
    over_runs,
    paired_ratio,
    smoothed_crossing,
    split_variance,
)
from slfac_sim.analysis.studies.axes import Axis
from slfac_sim.analysis.studies.study import DEVICES_J, StudyResult

SECONDS, BYTES, ROUNDS = "at_s", "payload_bytes", "round"  # what a curve can be drawn over
JOULES = DEVICES_J  # that all devices have drawn; points of earlier versions do not tell


@dataclass(frozen=True)
class Combination:
    """One value of each axis (path: text), and the places of its finished points, in the order of seeds."""

    axes: Mapping[str, str]
    points: tuple[int, ...]


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


def combinations(study: StudyResult, fixed: Mapping[str, str] | None = None) -> list[Combination]:
    """Return the combinations that agree with `fixed`, panels first, then lines, then x; empty ones too."""
    roles, fixed = study.roles, fixed or {}
    found: list[dict[str, str]] = [{}]
    for axis in (*roles.panels, roles.line, roles.x):
        if axis is not None:
            texts = [text for text in axis.texts if fixed.get(axis.path, text) == text]
            found = [{**axes, axis.path: text} for axes in found for text in texts]
    return [Combination(axes, tuple(study.select(axes))) for axes in found]


def texts_of(axis: Axis | None) -> tuple[str, ...]:
    """Return the values of an axis; a role that no axis has counts as one value, the empty text."""
    return axis.texts if axis is not None else ("",)


def at_place(study: StudyResult, panel: Mapping[str, str], line: str, x: str) -> Combination:
    """Return the combination of a panel (path: text), a line and an x; empty texts for absent axes."""
    axes = dict(panel)
    for axis, text in ((study.roles.line, line), (study.roles.x, x)):
        if axis is not None:
            axes[axis.path] = text
    return Combination(axes, tuple(study.select(axes)))


def panels_of(study: StudyResult) -> list[dict[str, str]]:
    """Return every combination of the axes that are neither x nor lines; an empty one where there is none."""
    found: list[dict[str, str]] = [{}]
    for axis in study.roles.panels:
        found = [{**panel, axis.path: text} for panel in found for text in axis.texts]
    return found


def crossings(
    study: StudyResult,
    points: Sequence[int],
    target: float,
    smoothed: bool = False,
    over: str = SECONDS,
) -> list[Crossing]:
    """Return where each of the points crosses `target`, on the scale `over`."""
    find = smoothed_crossing if smoothed else first_crossing
    curves = [study.columns["curve"][i] for i in points]
    return [find(curve[over], curve["accuracy"], target) for curve in curves]


def to_target(
    study: StudyResult, place: Combination, target: float, smoothed: bool = False, over: str = SECONDS
) -> OverRuns | None:
    """Return what a combination needs to `target`, over its seeds.

    None if none of its points finished, or one of them does not tell of `over`.
    """
    if not tells(study, place.points, over):
        return None
    return over_runs(crossings(study, place.points, target, smoothed, over))


def tells(study: StudyResult, points: Sequence[int], over: str) -> bool:
    """Say whether there are points, and all of them have their curve over `over`."""
    return bool(points) and all(study.columns["curve"][i].get(over) is not None for i in points)


def ratio(
    study: StudyResult, baseline: Combination, other: Combination, target: float, smoothed: bool = False
) -> PairedRatio | None:
    """Return how many times sooner `other` is at `target` than `baseline`.

    None if no seed has finished both; a seed of which only one has finished is no pair.
    """
    seeds = {_seed(study, i): i for i in baseline.points}
    pairs = [(seeds[_seed(study, i)], i) for i in other.points if _seed(study, i) in seeds]
    if not pairs:
        return None
    sides = [crossings(study, side, target, smoothed) for side in zip(*pairs, strict=True)]
    return paired_ratio(*sides)


def baseline_line(study: StudyResult) -> str:
    """Return the line that others are compared with: the raw codec if there is one, else the first."""
    texts = texts_of(study.roles.line)
    return next((text for text in texts if text == "raw" or text.startswith("{kind: raw")), texts[0])


def rival_lines(study: StudyResult) -> list[str]:
    """Return all lines but the baseline."""
    base = baseline_line(study)
    return [text for text in texts_of(study.roles.line) if text != base]


def main_target(study: StudyResult) -> float | None:
    """Return the target of the closing lines: the highest that training every line reached in half its runs.

    It is the lowest target if there is no such one, and None if the study has no targets.
    """
    for target in sorted(study.targets, reverse=True):
        if all(_half_reach(study, line, target) for line in texts_of(study.roles.line)):
            return target
    return min(study.targets, default=None)


def crossovers(numbers: Sequence[float], ratios: Sequence[PairedRatio | None]) -> list[Crossover]:
    """Return where the ratio passes 1 along ascending `numbers`; a ratio without a side is passed over."""
    known = [(x, r, side(r)) for x, r in zip(numbers, ratios, strict=True) if r is not None and side(r)]
    found = []
    for (low, before, was), (high, after, now) in pairwise(known):
        if was != now:
            at = _between(low, high, before.middle, after.middle)
            found.append(Crossover(low, high, at, "below" if was > 0 else "above"))
    return found


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


def mean_parts(study: StudyResult, place: Combination) -> dict[str, float]:
    """Return the seconds of each part of the time, averaged over the seeds of a combination."""
    return _means([study.columns["parts_s"][i] for i in place.points])


def largest_part(study: StudyResult, place: Combination) -> tuple[str, float] | None:
    """Return the largest part of the time of a combination, and its share; None without any."""
    parts = mean_parts(study, place)
    whole = sum(parts.values())
    if whole <= 0:
        return None
    part = max(parts, key=lambda name: parts[name])
    return part, parts[part] / whole


def mean_bounds(study: StudyResult, place: Combination) -> dict[str, float]:
    """Return the lower bounds of the time, averaged over seeds; empty where points do not have them."""
    found = [study.columns["bounds_s"][i] for i in place.points]
    return _means(found) if found and all(found) else {}


def mean_energy(study: StudyResult, place: Combination) -> dict[str, float]:
    """Return what was drawn, averaged over seeds, by who and what for; empty where points do not tell."""
    found = [study.columns["energy"][i] for i in place.points]
    return _means(found) if found and all(found) else {}


def mean_bytes(study: StudyResult, place: Combination) -> dict[str, float]:
    """Return the payload bytes of each kind, averaged over the seeds of a combination."""
    sent = _means([study.columns["bytes"][i] for i in place.points])
    return {kind: nbytes for kind, nbytes in sent.items() if kind != "total"}


def accuracy_at(study: StudyResult, points: Sequence[int], budget: float, over: str) -> Interval | None:
    """Return the accuracy of the last evaluation within `budget`, over seeds; nothing is interpolated."""
    shown = []
    for i in points:
        curve = study.columns["curve"][i]
        within = np.flatnonzero(np.asarray(curve[over], dtype=np.float64) <= budget * (1 + 1e-12))
        if within.size:
            shown.append(curve["accuracy"][int(within[-1])])
    return mean_interval(shown) if shown and len(shown) == len(points) else None


def common_budget(study: StudyResult, points: Sequence[int], over: str) -> float:
    """Return what the shortest of the points used in all; NaN without points.

    Points without a network, which send nothing, do not count as long as there are others.
    """
    curves = [study.columns["curve"][i] for i in points if study.columns["curve"][i][over]]
    sending = [curve for curve in curves if curve[BYTES][-1] > 0]
    ends = [curve[over][-1] for curve in sending or curves]
    return float(min(ends)) if ends else math.nan


def final_mean(study: StudyResult, place: Combination) -> float:
    """Return the mean accuracy of the last 3 evaluations, averaged over seeds; NaN without points."""
    finals = [final_accuracy(study.columns["curve"][i]["accuracy"]) for i in place.points]
    return mean_accuracy(finals)


def equally_accurate(study: StudyResult, one: Combination, two: Combination, target: float) -> bool:
    """Apply the rule of equal accuracy to two combinations."""
    curves = [
        [(study.columns["curve"][i][SECONDS], study.columns["curve"][i]["accuracy"]) for i in place.points]
        for place in (one, two)
    ]
    return equal_accuracy(curves[0], curves[1], target)


def shares_trainings(study: StudyResult) -> bool:
    """Say whether one training was timed at several values of x, so that points along it are correlated."""
    if study.roles.x is None:
        return False
    seen: dict[str, set[str]] = {}
    for training, text in zip(study.columns["training"], study.columns[study.roles.x.path], strict=True):
        seen.setdefault(training, set()).add(text)
    return any(len(texts) > 1 for texts in seen.values())


def over_the_air(study: StudyResult, axes: Mapping[str, str]) -> list[list[int]]:
    """Return the points over draws of the air [trainings][draws]; only draws that every training has."""
    by_training: dict[int, dict[int, int]] = {}
    for i in study.select(axes, air_draws=True):
        by_training.setdefault(study.columns["seed_learning"][i], {})[study.columns["seed_air"][i]] = i
    common = set.intersection(*map(set, by_training.values())) if by_training else set()
    return [[draws[seed] for seed in sorted(common)] for _, draws in sorted(by_training.items()) if common]


def variance(study: StudyResult, axes: Mapping[str, str], target: float | None) -> VarianceSplit | None:
    """Split the variance of the seconds to `target`, or of the whole run for None, into learning and air.

    None where there are fewer than 2 trainings or draws, or a run is censored, on either side.
    """
    table = over_the_air(study, axes)
    if len(table) < 2 or len(table[0]) < 2:
        return None
    if target is None:
        return split_variance([[study.columns["simulated_s"][i] for i in row] for row in table])
    found = [crossings(study, row, target) for row in table]
    if any(crossing.censored or crossing.untrained for row in found for crossing in row):
        return None
    return split_variance([[crossing.at for crossing in row] for row in found])


def _seed(study: StudyResult, i: int) -> tuple[int, int]:
    return study.columns["seed_learning"][i], study.columns["seed_air"][i]


def _half_reach(study: StudyResult, line: str, target: float) -> bool:
    axis = study.roles.line
    points = study.select({axis.path: line} if axis is not None else {})
    found = crossings(study, points, target)
    without = sum(crossing.censored or crossing.untrained for crossing in found)
    return bool(found) and 2 * without <= len(found)


def _means(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: float(np.mean([row.get(name, 0.0) for row in rows])) for name in names}


def _between(low: float, high: float, before: float, after: float) -> float:
    if not (math.isfinite(before) and math.isfinite(after) and before > 0 and after > 0):
        return math.nan
    share = math.log(before) / (math.log(before) - math.log(after))
    if low > 0:
        return math.exp(math.log(low) + share * math.log(high / low))
    return low + share * (high - low)
