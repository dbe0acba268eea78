"""How statistics of a study are written: in sentences, and in the cells of tables."""

import math
from collections.abc import Sequence

from slfac_sim.analysis.crossings import Crossing
from slfac_sim.analysis.format import amount, as_fast, between, count, fixed_percent, times
from slfac_sim.analysis.statistics import (
    Interval,
    OverRuns,
    PairedRatio,
    VarianceSplit,
    geometric_interval,
    quantile_reached,
)
from slfac_sim.analysis.studies.answers import is_clear


def ratio_words(value: PairedRatio | None) -> str:
    """Return a ratio in words: ``4.13 times as fast [3.38, 5.04]``, ``more than 7.41 times as fast``."""
    if value is None:
        return "not known, no seed has finished both"
    if value.n == 0:
        return f"not known ({_left_out(value)})"
    left_out = f"; {_left_out(value)}" if value.untrained else ""
    return _ratio(value) + left_out


def _ratio(value: PairedRatio) -> str:
    if value.mean is not None:
        return _mean_words(value)
    low, high = value.median
    some = f"median; {value.censored} of {count(value.n, 'pair')} with a run that did not reach the target"
    if low > 0 and math.isfinite(high):
        return f"{between(low, high)} times as fast ({some})"
    if low > 0:
        return f"more than {as_fast(low, up=False)} ({some})"
    if math.isfinite(high):
        return f"less than {as_fast(high, up=True)} ({some})"
    return f"not known ({some.removeprefix('median; ')})"


def _left_out(value: PairedRatio) -> str:
    pairs = count(value.n + value.untrained, "pair")
    return f"left out: {value.untrained} of {pairs}, whose target an untrained model meets"


def time_words(value: OverRuns | None, unit: str = "s") -> str:
    """Return a time over seeds: ``123 [110, 136] s``, ``median 140 s (1 of 3 not there)``, ``> 200 s``.

    With an empty `unit` the bare numbers.
    """
    if value is None:
        return "no run"
    unit = f" {unit}" if unit else ""
    if value.mean is not None:
        return f"{amount(value.mean.mean)}{_interval(value)}{unit}"
    low, high = value.median
    some = f" ({_exceptions(value)})" if value.censored or value.untrained else ""
    if high == 0.0:
        return f"untrained{some}"
    if low == high:
        return f"median {amount(low)}{unit}{some}"
    if not math.isfinite(high):
        return f"> {amount(low, up=False)}{unit}{some}"
    if low == 0.0:
        return f"median at most {amount(high, up=True)}{unit}{some}"
    return f"median {' to '.join(dict.fromkeys((amount(low), amount(high))))}{unit}{some}"


def _interval(value: OverRuns) -> str:
    mean = value.mean
    if mean is None or math.isnan(mean.low):
        return ""
    return f" [{amount(mean.low)}, {amount(mean.high)}]"


def _exceptions(value: OverRuns) -> str:
    """Return which of the runs have no time: ``1 of 3 not there, 1 of 3 untrained``."""
    counts = {"not there": value.censored, "untrained": value.untrained}
    return ", ".join(f"{number} of {value.n} {what}" for what, number in counts.items() if number)


def _mean_words(value: PairedRatio) -> str:
    mean = value.mean
    assert mean is not None
    if value.n == 1:
        return f"{as_fast(mean.mean)} (1 seed, no interval)"
    doubt = "" if is_clear(value) else ", no clear difference"
    return f"{as_fast(mean.mean)} [{times(mean.low)}, {times(mean.high)}]{doubt}"


def bracket_words(crossings: Sequence[Crossing]) -> str:
    """Return the mean bracket of crossings, ``(112, 150] s``: the target lay after the one, by the other.

    Its ends are geometric means, as that of the crossings is.
    """
    if not crossings or any(crossing.censored or crossing.untrained for crossing in crossings):
        return "-"
    low, high = ([crossing.bracket[end] for crossing in crossings] for end in (0, 1))
    ends = [geometric_interval(side).mean if all(side) else 0.0 for side in (low, high)]
    return f"({amount(ends[0])}, {amount(ends[1])}] s"


def ratio_cell(value: PairedRatio | None) -> str:
    """Return a ratio and its interval, ``4.14 [3.40, 5.03]``; with a censored pair a median or bounds."""
    if value is None:
        return "-"
    untrained = f"({value.untrained} of {value.n + value.untrained} untrained)" if value.untrained else ""
    return " ".join(part for part in (_ratio_short(value), untrained) if part)


def _ratio_short(value: PairedRatio) -> str:
    if value.mean is not None:
        interval = f" [{times(value.mean.low)}, {times(value.mean.high)}]" if value.n > 1 else ""
        return times(value.mean.mean) + interval
    if value.n == 0:
        return "not known"
    low, high = value.median
    some = f"({value.censored} of {value.n} censored)"
    if low > 0 and math.isfinite(high):
        return f"{'median ' if low == high else ''}{between(low, high)} {some}"
    if math.isfinite(high):
        return f"< {times(high, up=True)} {some}"
    return f"> {times(low, up=False)} {some}" if low > 0 else f"not known {some}"


def accuracy_cell(value: Interval | None) -> str:
    """Return a mean accuracy and its interval, ``97.41 [96.80, 98.02] %``; the former alone for one run."""
    if value is None:
        return "-"
    if value.n == 1:
        return fixed_percent(value.mean, 2)
    return f"{100 * value.mean:.2f} [{100 * value.low:.2f}, {100 * value.high:.2f}] %"


def variance_cells(what: str, split: VarianceSplit | None) -> dict[str, str]:
    """Return a cell for the standard deviation of `what` by each cause, with its part of the variance."""
    names = ("learning", "air", "both")
    if split is None:
        return {f"{what}: s.d. by {name}": "-" for name in names}
    whole = (split.learning + split.air + split.both) or 1.0
    return {
        f"{what}: s.d. by {name}": f"{amount(math.sqrt(part))} s ({fixed_percent(part / whole)})"
        for name, part in zip(names, (split.learning, split.air, split.both), strict=True)
    }


def quantiles_cell(crossings: Sequence[Crossing]) -> str:
    """Return the median of crossings, and in brackets the times by which 5 and 95 % are there."""
    last = max(crossing.at for crossing in crossings)
    low, middle, high = (quantile_reached(crossings, share) for share in (0.05, 0.5, 0.95))
    words = [_quantile(value, last) for value in (middle, low, high)]
    return f"{words[0]} ({words[1]} .. {words[2]}) s"


def _quantile(value: float, last: float) -> str:
    if value <= 0.0:
        return "untrained"
    return f"> {amount(last, up=False)}" if math.isinf(value) else amount(value)
