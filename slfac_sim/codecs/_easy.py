"""EasyQuant's symmetric grid, value by value, and the search for its step; it knows no groups and no codec.

Symbols are q + `side`, the largest q. Steps are arrays that broadcast with the values.
"""

from collections.abc import Callable

import numpy as np

from slfac_sim.codecs.kit.dct import Floats
from slfac_sim.codecs.kit.packing import Symbols

_GOLDEN = (5**0.5 - 1) / 2
_ROUNDS = 10  # of golden section: the step is known to 1 % of the interval


def side_of(bits: int) -> int:
    """Return the largest q: 2^(bits-1) - 1."""
    return int(2 ** (bits - 1) - 1)


def quantise(values: Floats, steps: Floats, side: int) -> Symbols:
    """Return q plus the largest q, q = round(x / s) limited to -side .. side; 0 where s is."""
    per_step = np.divide(1, steps, out=np.zeros_like(steps), where=steps > 0)
    levels = values * per_step
    levels += np.float32(side + 0.5)
    np.clip(levels, 0, 2 * side, out=levels)
    return levels.astype(np.uint8) if side < 128 else levels.astype(np.uint16)


def residuals(values: Floats, steps: Floats, side: int) -> Floats:
    """Return x^ - x of every value with its step."""
    wide = np.maximum(steps, np.finfo(np.float32).tiny)
    rest = np.clip(np.rint(values / wide), -side, side)
    rest *= wide
    rest -= values
    return rest


def best_steps(largest: Floats, side: int, errors: Callable[[Floats], Floats]) -> Floats:
    """Return the step of every group, between 0.2 and 1.05 of its largest magnitude / `side`.

    Golden section of the squared error, all groups at once: `errors` gives those of one step per group.
    """
    coarsest = largest / np.float32(side)
    low: Floats = coarsest * np.float32(0.2)
    high: Floats = coarsest * np.float32(1.05)
    left, right = high - (high - low) * np.float32(_GOLDEN), low + (high - low) * np.float32(_GOLDEN)
    at_left, at_right = errors(left), errors(right)
    for _ in range(_ROUNDS):
        down = at_left <= at_right
        low, high = np.where(down, low, left), np.where(down, right, high)
        inner = np.where(
            down, high - (high - low) * np.float32(_GOLDEN), low + (high - low) * np.float32(_GOLDEN)
        )
        fresh = errors(inner)
        left, right = np.where(down, inner, right), np.where(down, left, inner)
        at_left, at_right = np.where(down, fresh, at_right), np.where(down, at_left, fresh)
    best: Floats = np.where(at_left <= at_right, left, right)
    return best
