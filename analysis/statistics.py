"""Statistics of few, paired and possibly censored runs; it knows arrays and no files, and draws nothing.

A run that never reaches its target is *censored*: it is known to need more than T, the time of its last
evaluation, and no more than that is known. It is never dropped: with it there is no mean, but a median, or
bounds of the median (`OverRuns`, `PairedRatio`). A run whose *untrained* model meets the target is censored
on the other side: training had nothing to do, so there is no time, and no ratio, to be told of it; it is
counted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from slfac_sim.analysis.crossings import Crossing
from slfac_sim.foundation.arrays import Floats
from slfac_sim.foundation.metrics import METRICS

CONFIDENCE = 0.95
POSITIVE = frozenset(
    ("at_s", "simulated_s", "payload_bytes", "bytes_total", "devices_j", "energy_j", "round")
)
"""The quantities that are above zero by nature: their means and intervals are taken on the logarithm."""

_ROUNDING = 1e-12


def is_share(quantity: str) -> bool:
    """Say whether `quantity` is a metric from 0 to 1."""
    return quantity in METRICS and METRICS[quantity].is_share


@dataclass(frozen=True)
class Interval:
    """A mean of `n` values and its two-sided confidence interval; NaN bounds for a single value.

    Both are `geometric` for positive quantities: taken on the logarithm.
    """

    mean: float
    low: float
    high: float
    n: int
    geometric: bool = False


@dataclass(frozen=True)
class OverRuns:
    """Places of `n` crossings, `censored` of them unknown beyond a bound, `untrained` of them below one.

    `mean`, a geometric one, is None as soon as there is one of either; the median then lies in `median`,
    whose ends are equal where such runs leave it certain, and whose upper end may be infinite.
    """

    n: int
    censored: int
    untrained: int
    mean: Interval | None
    median: tuple[float, float]


@dataclass(frozen=True)
class PairedRatio:
    """How many times sooner one variant is there than its baseline: baseline / other, pair by pair.

    `mean` is the geometric mean with its t interval, or None if a pair has a censored member. `median` bounds
    the median of the ratios, of which each censored pair gives a bound: (2, inf) says "at least 2". The
    `untrained` pairs, with a member whose untrained model met the target, are not among the `n`.
    """

    n: int
    censored: int
    untrained: int
    mean: Interval | None
    median: tuple[float, float]

    @property
    def middle(self) -> float:
        """The ratio as one number: the geometric mean, else the median, else NaN where it is only bounded."""
        if self.mean is not None:
            return self.mean.mean
        low, high = self.median
        return low if low == high else math.nan


Estimate = OverRuns | PairedRatio


@dataclass(frozen=True)
class VarianceSplit:
    """Variances of learning, of the air and of both together (how the air acts differs by training).

    Estimates that came out below zero are zero. `trainings` and `draws` are the numbers behind them.
    """

    learning: float
    air: float
    both: float
    mean: float
    trainings: int
    draws: int


def mean_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Return the mean of `values` [n] and its t interval: for n = 3, mean +- 4.30 s / sqrt(3)."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.size == 0:
        raise ValueError("a mean needs at least one value")
    mean = float(np.clip(sample.mean(), sample.min(), sample.max()))  # of equal values exactly their own
    if sample.size == 1:
        return Interval(mean, math.nan, math.nan, 1)
    from scipy.special import stdtrit

    factor = float(stdtrit(sample.size - 1, 0.5 + confidence / 2))
    half = factor * float(sample.std(ddof=1)) / math.sqrt(sample.size)
    return Interval(mean, mean - half, mean + half, int(sample.size))


def share_interval(values: ArrayLike) -> Interval:
    """Return the mean of `values` [n] from 0 to 1 and its t interval, cut at 0 and 1."""
    found = mean_interval(values)
    if math.isnan(found.low):
        return found
    return replace(found, low=max(found.low, 0.0), high=min(found.high, 1.0))


def geometric_interval(values: ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """Return the geometric mean of positive `values` [n] and the t interval of their logarithms.

    Both are positive. Values that are all zero have the mean 0 and no interval. Raises ValueError where some
    are not above zero.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.size and not sample.any():
        return Interval(0.0, math.nan, math.nan, int(sample.size), geometric=True)
    if not (sample > 0.0).all():
        raise ValueError(f"a geometric mean needs values above zero (got {float(sample.min()):g})")
    logs = mean_interval(np.log(sample), confidence)
    if sample.min() == sample.max():  # not what the logarithm and back leave of it
        ends = (math.nan, math.nan) if logs.n == 1 else (float(sample[0]), float(sample[0]))
        return Interval(float(sample[0]), *ends, logs.n, geometric=True)
    with np.errstate(over="ignore"):
        exponentials = np.exp([logs.mean, logs.low, logs.high])
    floats = np.finfo(np.float64)  # a spread may go beyond them
    mean, low, high = np.clip(exponentials, floats.tiny, floats.max).tolist()
    return Interval(mean, low, high, logs.n, geometric=True)


def interval_of(quantity: str, values: ArrayLike) -> Interval:
    """Return mean and interval of `values` [n] of a named quantity: on the logarithm for those of `POSITIVE`.

    That of an accuracy, or another share, is cut at 0 and 1.
    Where only some of its values are zero a positive quantity has a mean, and no interval.
    """
    sample = np.asarray(values, dtype=np.float64)
    if is_share(quantity.removesuffix("_final")):
        return share_interval(sample)
    if quantity not in POSITIVE:
        return mean_interval(sample)
    if sample.any() and not sample.all():
        return Interval(float(sample.mean()), math.nan, math.nan, int(sample.size))
    return geometric_interval(sample)


def over_runs(crossings: Sequence[Crossing]) -> OverRuns:
    """Return mean and interval of the crossings' places, or bounds of their median if one is censored.

    Places are quantities of `POSITIVE`.
    """
    at = np.array([crossing.at for crossing in crossings])
    low = np.array([-math.inf if crossing.untrained else crossing.at for crossing in crossings])
    high = np.array([math.inf if crossing.censored else crossing.at for crossing in crossings])
    censored, untrained = _censored(crossings), _untrained(crossings)
    known = not (censored or untrained) and (at.all() or not at.any())
    mean = geometric_interval(at) if known else None
    return OverRuns(len(crossings), censored, untrained, mean, (_median(low), _median(high)))


def paired_ratio(baseline: Sequence[Crossing], other: Sequence[Crossing]) -> PairedRatio:
    """Return baseline / other over pairs of crossings, the same seed at the same place of both sequences.

    A pair whose baseline alone is censored says "at least", one whose other alone is censored "at most",
    one with both says nothing; all three count in the bounds of the median. A pair of which the untrained
    model of either met the target is no comparison of two trainings, and is left out.
    """
    pairs = list(zip(baseline, other, strict=True))
    compared = [pair for pair in pairs if not _untrained(pair)]
    untrained = len(pairs) - len(compared)
    if not compared:
        return PairedRatio(0, 0, untrained, None, (0.0, math.inf))
    low, high = np.array([_ratio_bounds(*pair) for pair in compared]).T
    censored = int(np.count_nonzero(low != high))
    known = not censored and np.isfinite(low).all() and (low > 0).all()
    mean = geometric_interval(low) if known else None
    return PairedRatio(len(compared), censored, untrained, mean, (_ratio_median(low), _ratio_median(high)))


def _censored(crossings: Sequence[Crossing]) -> int:
    return sum(crossing.censored for crossing in crossings)


def _untrained(crossings: Sequence[Crossing]) -> int:
    return sum(crossing.untrained for crossing in crossings)


def _ratio_median(ratios: Floats) -> float:
    """Return the median on the logarithmic scale, where ratios live: beside a bound of 0 nothing is known."""
    low, high = (float(np.sort(ratios)[place]) for place in ((ratios.size - 1) // 2, ratios.size // 2))
    if low == 0.0 or low == high:
        return low
    return math.sqrt(low) * math.sqrt(high)


def split_variance(values: ArrayLike) -> VarianceSplit:
    """Split the variance of `values` [trainings, draws] into learning, air, and what belongs to both.

    Every training meets the same draws of the air, so the two are crossed, not nested. With m trainings, n
    draws and the mean squares of the two-way table without replication, E[MS_learning] = both + n learning
    and E[MS_air] = both + m air; `both` is the mean square of what rows and columns leave.

    Raises ValueError for fewer than two of either.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2:
        raise ValueError(f"needs at least 2 trainings x 2 draws (got shape {table.shape})")
    trainings, draws = table.shape
    rows, columns, mean = table.mean(axis=1), table.mean(axis=0), float(table.mean())
    rest = table - rows[:, None] - columns[None, :] + mean
    both = float((rest**2).sum()) / ((trainings - 1) * (draws - 1))
    learning = float(rows.var(ddof=1)) - both / draws
    air = float(columns.var(ddof=1)) - both / trainings
    noise = (_ROUNDING * float(np.abs(table).max())) ** 2  # of adding floats, not of runs
    learning, air, both = (part if part > noise else 0.0 for part in (learning, air, both))
    return VarianceSplit(learning, air, both, mean, trainings, draws)


def quantile_reached(crossings: Sequence[Crossing], share: float) -> float:
    """Return the place by which `share` of the runs are there (Kaplan-Meier); infinity if that is beyond all.

    Censored runs count as under way until their last evaluation.
    """
    from scipy.stats import CensoredData, ecdf

    at = np.array([crossing.at for crossing in crossings])
    censored = np.array([crossing.censored for crossing in crossings])
    reached = ecdf(CensoredData(uncensored=at[~censored], right=at[censored])).cdf
    places = reached.quantiles[reached.probabilities >= share - _ROUNDING]
    return float(places[0]) if places.size else math.inf


def _ratio_bounds(baseline: Crossing, other: Crossing) -> tuple[float, float]:
    ratio = baseline.at / other.at if other.at > 0 else math.inf
    if baseline.at == other.at:
        ratio = 1.0
    low = 0.0 if other.censored else ratio
    high = math.inf if baseline.censored else ratio
    return low, high


def _median(values: Floats) -> float:
    # numpy's median averages two infinities with a warning; between a number and infinity lies infinity, and
    # between a number and what lies before the start is anything from the start on
    ordered = np.sort(values)
    middle = ordered[(ordered.size - 1) // 2 : ordered.size // 2 + 1]
    if np.isneginf(middle).any():
        return 0.0
    return math.inf if np.isinf(middle).any() else float(middle.mean())
