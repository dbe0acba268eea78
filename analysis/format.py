"""Numbers and names as people read them: percents, amounts, ratios, seconds, bytes, kinds of payload."""

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal

from slfac_sim.foundation.metrics import METRICS
from slfac_sim.foundation.targets import Target
from slfac_sim.foundation.units import exact

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"))
_LEAST = {"B": 1e3, "J": 1e-3, "s": 1e-3, "bit/s": 1.0}  # no smaller unit is used: a byte is in kB at least
_LARGEST = {"s": 1.0}  # seconds stay seconds


def percent(target: float) -> str:
    """Return a target accuracy with all of its digits, so that no two are one: ``97 %``, ``10.000001 %``."""
    return f"{(100 * Decimal(exact(target))).normalize():f} %"


def target_words(target: Target) -> str:
    """Return a target in words: ``97 %``, of accuracy; ``70 % balanced accuracy``, ``a test loss of 0.5``."""
    return target.of.words.format(percent(target.value) if target.of.is_share else exact(target.value))


def measured(metric: str, value: float | None) -> str:
    """Return the value of a metric as a table shows it; a dash where there is none."""
    if value is None:
        return "-"
    return fixed_percent(value, 2) if METRICS[metric].is_share else f"{value:.4g}"


def share(part: float, digits: int = 4) -> str:
    """Return a measured part of 1 with so many digits at most: ``97.35 %``."""
    return f"{100 * part:.{digits}g} %"


def fixed_percent(part: float, decimals: int = 0) -> str:
    """Return a part of 1 with so many decimals, as in a column: ``97.40 %`` for 2."""
    return f"{100 * part:.{decimals}f} %"


def one_decimal(value: float | None) -> str:
    """Return `value` with one decimal, with three digits below 10; a dash where there is none."""
    if value is None:
        return "-"
    return f"{value:,.1f}" if abs(value) >= 9.995 else f"{value:.3g}"


def about(seconds: float) -> str:
    """Return an estimate of seconds with two digits, or in whole minutes or hours."""
    if seconds < 99.5:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.0f} h"


NOT_ASKED, NOT_REACHED, UNTRAINED = "not asked", "not reached", "untrained"


def reached(at_s: float | None) -> str:
    """Return the seconds to a target; `untrained` where it was met at 0 s, before any training."""
    return NOT_REACHED if at_s is None else UNTRAINED if at_s == 0.0 else one_decimal(at_s)


def amount(value: float, up: bool | None = None) -> str:
    """Return a number with three digits, to the unit from 100 on; a dash for NaN.

    A bound is rounded `up`, or down, so that what is said of it stays true.
    """
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf"
    if abs(value) >= 99.95:
        return f"{_towards(value, 0, up):,.0f}"
    return f"{_towards(value, 2 - _magnitude(value), up):.3g}"


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _towards(value: float, digits: int, up: bool | None) -> float:
    """Return `value` with so many digits after the point, rounded `up` or down; None leaves it as it is."""
    if up is None:
        return value
    whole = round(value * 10.0**digits, 6)  # a number that has no more digits stays what it is
    return (math.ceil(whole) if up else math.floor(whole)) / 10.0**digits


def three_digits(value: float) -> str:
    """Return a number with three digits, all of those before the point, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def times(ratio: float, up: bool | None = None) -> str:
    """Return a ratio with two decimals, with fewer from 10 on, with two digits below a tenth.

    A bound is rounded `up`, or down, as by `amount`.
    """
    if ratio < 0.1:
        return f"{_towards(ratio, 1 - _magnitude(ratio), up):.2g}"
    return f"{_towards(ratio, 2, up):.2f}" if ratio < 9.995 else amount(ratio, up)


def ends_apart(one: float, other: float) -> str:
    """Return how two final shares differ: ``but ends 13.5 points lower``."""
    points = f"{abs(one - other) * 100:.1f} points"
    return f"but ends {points} lower" if one < other else f"and ends {points} higher"


def as_fast(ratio: float, up: bool | None = None) -> str:
    """Return the one way in which a ratio of speeds is said: ``6.11 times as fast``; a bound `up` or down."""
    return f"{times(ratio, up)} times as fast"


def between(low: float, high: float) -> str:
    """Return two ends in the form of `times`; ends that read alike are said once."""
    ends = dict.fromkeys((times(low), times(high)))
    return " to ".join(ends)


def count(number: int, noun: str) -> str:
    """Return ``1 seed``, ``3 seeds``, ``1,000 seeds``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def capital(words: str) -> str:
    """Return `words` with a large letter first, as titles and sentences begin."""
    return words[:1].upper() + words[1:]


def losses(transfers: int, lost: int, missed: int) -> str:
    """Return ``1,184``, with losses ``1,184, of which 16 were lost, 16 device-rounds missed``.

    Misses that no loss comes with, as of a deadline, stand alone: ``1,184; 16 device-rounds missed``.
    """
    rounds = f"{count(missed, 'device-round')} missed"
    if not lost:
        return f"{transfers:,}; {rounds}" if missed else f"{transfers:,}"
    return f"{transfers:,}, of which {lost:,} {'was' if lost == 1 else 'were'} lost, {rounds}"


def handovers(number: int, ping_pongs: int, devices: int, interruption_s: float) -> str:
    """Return ``34 by 12 devices, 5 ping-pongs; interruptions of 1.7 s``."""
    were = f", {count(ping_pongs, 'ping-pong')}" if ping_pongs else ""
    return f"{number:,} by {count(devices, 'device')}{were}; interruptions of {quantity(interruption_s, 's')}"


def unit_of(values: Iterable[float], unit: str) -> tuple[float, str]:
    """Return (factor, unit with its prefix) in which the largest of `values` (SI) is at least 1.

    Zero, and nothing, are told in the `unit` itself; bytes in kB at least.
    """
    most = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    steps = [(f, p) for f, p in _PREFIXES if _LEAST[unit] <= f <= _LARGEST.get(unit, math.inf)]
    factor, prefix = next(((f, p) for f, p in steps if most >= f), steps[-1] if most else _plain(steps))
    return factor, prefix + unit


def _plain(steps: list[tuple[float, str]]) -> tuple[float, str]:
    return next((step for step in steps if step[0] == 1.0), steps[-1])


def quantity(value: float, unit: str) -> str:
    """Return `value` (SI) with three digits in a unit that suits it: ``2.5 J``, ``1.2 GB``, ``45.6 kB``."""
    factor, name = unit_of([value], unit)
    return f"{amount(value / factor)} {name}"


def sentence(words: str) -> str:
    """Return `words` as a sentence: with a large letter first, and a full stop."""
    return f"{words[:1].upper()}{words[1:]}."


def listed(names: Sequence[str], most: int = 4) -> str:
    """Return names one after the other; of many the first, and how many more: ``a, b, c, d and 3 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def shortened(name: str, letters: int) -> str:
    """Return `name` with at most so many letters: ``produc…ort_12`` keeps both ends of a longer one."""
    half = (letters - 1) // 2
    return name if len(name) <= letters else f"{name[:half]}\N{HORIZONTAL ELLIPSIS}{name[-half:]}"


ACROSS = {"smashed_up": "up", "smashed_down": "down"}
"""The kinds that cross the first cut, and their directions."""

_NAMES = {
    "smashed_up": "activations, up",
    "smashed_down": "gradients, down",
    "middle_down": "activations of the body, down",
    "middle_up": "their gradients, up",
    "labels": "labels, up",
    "model_up": "models, up",
    "model_down": "models, down",
    "edge_up": "models of edges, to the cloud",
    "edge_down": "models of edges, from the cloud",
}


def kind_name(kind: str) -> str:
    """Return what a kind of payload of the ledger is called: ``activations, up`` for `smashed_up`."""
    return _NAMES.get(kind, kind)
