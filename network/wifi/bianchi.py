"""Bianchi's model of 802.11: saturated senders that all hear each other. It knows no frames and no flows.

G. Bianchi, "Performance analysis of the IEEE 802.11 distributed coordination function", IEEE JSAC 18(3),
2000. A sender transmits in a slot with probability tau, and then meets others with probability p, whatever
its past; a slot is idle, holds one successful exchange, or a collision as long as its longest frame.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Floats


def attempt_probability(p: float, window: int, doublings: int) -> float:
    """Return tau given p (equation 7): 2 / (1 + W + p W sum over k < m of (2p)^k)."""
    stages = sum((2.0 * p) ** k for k in range(doublings))
    return 2.0 / (1.0 + window + p * window * stages)


@lru_cache(maxsize=4096)
def fixed_point(senders: int, window: int, doublings: int) -> tuple[float, float]:
    """Return (tau, p) of `senders` >= 1: the one root of p = 1 - (1 - tau(p))^(n - 1).

    By bisection, down to neighbouring floats: tau falls with p, so the two sides cross once.
    """
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2.0) < high:
        met = 1.0 - (1.0 - attempt_probability(middle, window, doublings)) ** (senders - 1)
        low, high = (middle, high) if middle < met else (low, middle)
    p = low if senders > 1 else 0.0
    return attempt_probability(p, window, doublings), p


def mean_slot_s(
    tau: float,
    slot_s: float,
    sender: NDArray[np.intp],
    chance: Floats,
    success_s: Floats,
    collision_s: Floats,
) -> float:
    """Return the mean time from one slot to the next, E[slot], in seconds.

    All arrays are [frames]: the `sender` (0 to n - 1) of each kind of frame, the `chance` that a frame of
    this sender is of this kind (they sum to 1 for each sender), T_s and T_c. With one kind for each sender
    it is (1 - Ptr) sigma + sum tau (1 - tau)^(n-1) T_s,i + sum over i, sorted by T_c, of
    tau (1 - tau)^(n-i) [1 - (1 - tau)^(i-1)] T_c,i; here the longest frame of a collision is that j below
    which all others stay: G_j - G_(j-1), where G_j = prod over senders of P(sends nothing longer than j).
    """
    senders = int(sender.max()) + 1
    order = np.lexsort((collision_s, sender))  # by sender, then by length
    upto = np.empty_like(chance)
    upto[order] = np.cumsum(chance[order]) - sender[order]  # each sender before adds 1
    within = 1.0 - tau * (1.0 - upto)
    growth = -np.log1p(-tau * chance / within)
    by_length = np.argsort(collision_s, kind="stable")
    level = senders * np.log1p(-tau) + np.cumsum(growth[by_length])
    longest = np.empty_like(chance)
    longest[by_length] = np.exp(level) * -np.expm1(-growth[by_length])
    alone = alone_probability(tau, senders) * chance
    collided_s = float(((longest - alone) * collision_s).sum())
    return (1.0 - tau) ** senders * slot_s + float((alone * success_s).sum()) + collided_s


def alone_probability(tau: float, senders: int) -> float:
    """Return the probability that a given sender transmits in a slot, and no other: tau (1 - tau)^(n-1)."""
    return tau * (1.0 - tau) ** (senders - 1)
