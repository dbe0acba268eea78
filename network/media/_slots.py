"""The proportional fair scheduler slot by slot: what its fluid mean is checked against. It knows no flows."""

import numpy as np

from slfac_sim.foundation.arrays import Floats


def proportional_fair_slots(rates_bps: Floats, window_slots: float = 100.0) -> tuple[Floats, Floats]:
    """Return each user's mean rate, and the part of the slots that it had, from its rates [slots, users].

    Each slot goes to the user whose rate is the largest multiple of its mean so far (of equals, to the
    first), and T_i += (served rate - T_i) / `window_slots` follows the means. They begin at 1/n of the
    mean of `rates_bps`, which must be positive (Viswanath, Tse and Laroia 2002, section III).
    """
    slots, users = rates_bps.shape
    mean_bps = rates_bps.mean(axis=0) / users
    served_bits, turns = np.zeros(users), np.zeros(users)
    for rate_bps in rates_bps:
        user = int(np.argmax(rate_bps / mean_bps))
        mean_bps *= 1.0 - 1.0 / window_slots
        mean_bps[user] += rate_bps[user] / window_slots
        served_bits[user] += rate_bps[user]
        turns[user] += 1.0
    return served_bits / slots, turns / slots
