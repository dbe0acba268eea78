"""SplitFC's allocation: which columns get a two-stage quantiser, and how many levels each quantiser has.

It knows ranges and budgets, no bytes. Minimised is (arXiv:2307.10805 v2, section on the quantiser)
sum_{i<=M} B r_i^2 / (4 (Q_i-1)^2) + sum_{i>M} B r_i^2 / 2 + B (D-M) r_0^2 / (2 (Q_0-1)^2)
over the levels Q and the number M of two-stage columns, the widest ones, under a budget in bits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slfac_sim.codecs.kit.floats import Reals

Places = NDArray[np.int64]

# What a quantiser may have, four to an octave: its place in this list is five bits of the message.
LEVELS = np.array([2, 3] + [(4 + step % 4) << step // 4 for step in range(30)], np.int64)
# Stationary levels solve (Q - 1)^3 = u Q with u = r_i^2 ln2 / (2 nu); for the means u_0 = r_0^2 B ln2 / nu.
# Q grows with u, so that Q >= L where u >= (L - 1)^3 / L: no root has to be taken to round it down to LEVELS.
_LEAST_U = (LEVELS - 1.0) ** 3 / LEVELS

_CANDIDATES = 8  # numbers of two-stage columns that are tried
_HALVINGS = 10
_LOG_NU = (-30.0, 10.0)  # ranges are scaled to at most 1


@dataclass(frozen=True)
class Plan:
    """Places in LEVELS: `levels` of the widest columns, those of two stages, and `mean_levels`."""

    levels: Places
    mean_levels: int


def plan(
    ranges: Reals, mean_range: float, samples: int, budget_bits: float, cost_bits: Callable[[Plan], float]
) -> Plan:
    """Return the plan of least distortion among those within `budget_bits`, as `cost_bits` counts them.

    `ranges` are of the columns, the widest first; `mean_range` is that of their means. If no plan is
    within the budget, the cheapest is returned.
    """
    scale = max(float(ranges.max(initial=0.0)), mean_range) or 1.0
    r, r_0 = ranges / scale, mean_range / scale
    counts = np.unique(np.linspace(0, r.size, _CANDIDATES).round().astype(int)).tolist()
    plans = [_least_price(r[:count], r_0, samples, budget_bits, cost_bits) for count in counts]
    within = [each for each in plans if cost_bits(each) <= budget_bits]
    if not within:
        return min(plans, key=cost_bits)
    return min(within, key=lambda each: distortion(r, r_0, samples, each))


def _least_price(
    wide: Reals, r_0: float, samples: int, budget_bits: float, cost_bits: Callable[[Plan], float]
) -> Plan:
    """Bisect the price nu of a bit: return the plan of the lowest that is within the budget."""
    u_at_one = np.append(wide**2 / 2, r_0**2 * samples) * np.log(2)
    low, high = _LOG_NU
    best = _priced(u_at_one, high)
    if cost_bits(best) > budget_bits:
        return best
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tried = _priced(u_at_one, middle)
        if cost_bits(tried) <= budget_bits:
            best, high = tried, middle
        else:
            low = middle
    return best


def _priced(u_at_one: Reals, log_nu: float) -> Plan:
    """Return the plan at a price: the stationary levels, rounded down to what LEVELS has."""
    places = nearest_below(u_at_one * np.exp(-log_nu))
    return Plan(places[:-1], int(places[-1]))


def nearest_below(u: Reals) -> Places:
    """Return the place in LEVELS of the most levels not above the Q of `u`; at least that of 2 levels."""
    return np.maximum(np.searchsorted(_LEAST_U, u, side="right") - 1, 0)


def distortion(r: Reals, r_0: float, samples: int, chosen: Plan) -> float:
    """Return what is minimised, of columns of ranges `r`, the widest first."""
    levels, count = LEVELS[chosen.levels], chosen.levels.size
    two_stage = (samples * r[:count] ** 2 / (4 * (levels - 1) ** 2)).sum()
    dropped = (samples * r[count:] ** 2 / 2).sum()
    means = samples * (r.size - count) * r_0**2 / (2 * (LEVELS[chosen.mean_levels] - 1) ** 2)
    return float(two_stage + dropped + means)
