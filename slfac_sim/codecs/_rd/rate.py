"""Rate control: the step at which a message has a wanted error or a wanted number of bytes.

It knows neither: it is given what one attempt gives, and looks for a figure between two steps.
"""

import itertools
import math
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_ATTEMPTS = 16
_FARTHEST = 8.0  # octaves from one attempt to the next, as long as the target is not enclosed
_CERTAIN_SLOPE = 0.3


def search(
    attempt: Callable[[float], T],
    figure: Callable[[T], float],
    target: float,
    start: float,
    limits: tuple[float, float],
    tolerance: float,
) -> T:
    """Return the attempt, among steps within `limits`, whose figure is next to `target`.

    The figure must rise or fall with the step throughout. Secants in logarithms of both, kept within the
    steps known to lie on either side; ends within `tolerance` of the target (in octaves), or with the nearest
    after 16 attempts.
    """
    lowest, highest = math.log2(limits[0]), math.log2(limits[1])
    place = min(max(math.log2(start), lowest), highest)
    tried: list[tuple[float, float]] = []
    best: tuple[float, T] | None = None
    while len(tried) < _ATTEMPTS:
        result = attempt(2.0**place)
        off = math.log2(max(figure(result), 1e-30) / target)
        if best is None or abs(off) < abs(best[0]):
            best = off, result
        tried.append((place, off))
        following = _next_place(tried, lowest, highest)
        if abs(off) < tolerance or following is None:
            break
        place = following
    assert best is not None
    return best[1]


def _next_place(tried: list[tuple[float, float]], lowest: float, highest: float) -> float | None:
    """Return where to try next; None when there is nothing new within the limits."""
    above = [point for point in tried if point[1] > 0]
    below = [point for point in tried if point[1] <= 0]
    if above and below:
        pairs = itertools.product(above, below)
        left, right = min(pairs, key=lambda pair: abs(pair[0][0] - pair[1][0]))
        share = left[1] / (left[1] - right[1])
        share = 0.5 if len(tried) % 4 == 3 else min(max(share, 0.05), 0.95)
        place = left[0] + share * (right[0] - left[0])
    else:
        place = _outside(tried)
    place = min(max(place, lowest), highest)
    return None if any(abs(place - known) < 1e-6 for known, _ in tried) else place


def _outside(tried: list[tuple[float, float]]) -> float:
    """Return a place beyond all tried ones, in the direction in which the figure comes nearer."""
    if len(tried) == 1:
        return tried[0][0] + 0.5
    (first, off_first), (last, off_last) = min(tried), max(tried)
    slope = (off_last - off_first) / (last - first)
    slope = math.copysign(max(abs(slope), _CERTAIN_SLOPE), slope)
    nearest = min(tried, key=lambda point: abs(point[1]))
    move = -1.2 * nearest[1] / slope
    return nearest[0] + min(max(move, -_FARTHEST), _FARTHEST)
