"""Losses in bursts, packet by packet: Gilbert's and Elliott's chain of two states."""

import numpy as np
from numpy.typing import NDArray

from slfac_sim.foundation.arrays import Bools
from slfac_sim.network.transfers import Bursts
from slfac_sim.network.transport._packets import Crossing, Train


def in_bursts(train: Train, draws: np.random.Generator, most: int) -> NDArray[np.int64]:
    """Return how often each packet has to be sent to arrive [packets], or one more than `most`.

    Packets cross each link in order; those that were lost follow in the next round. Between rounds, and
    between messages, the states have time to become what they are at any time.
    """
    needed = np.zeros(train.count, dtype=np.int64)
    missing, turn = np.arange(train.count), 0
    while len(missing) and turn < most:
        turn += 1
        needed[missing] = turn
        gone = [_lost(crossing, draws, len(missing)) for crossing in train.crossings]
        missing = missing[np.logical_or.reduce(gone)]
    needed[missing] = turn + 1
    return needed


def lost_in_bursts(bursts: Bursts, draws: np.random.Generator, count: int) -> Bools:
    """Return which of `count` packets in a row are lost [packets]."""
    chance = np.where(bad_states(bursts, draws, count), bursts.loss_bad, bursts.loss_good)
    return np.asarray(draws.random(count) < chance)


def bad_states(bursts: Bursts, draws: np.random.Generator, count: int) -> Bools:
    """Return which of `count` packets in a row meet the bad state [packets]."""
    bad, drawn = bool(draws.random() < bursts.bad), 0
    runs: list[Bools] = []
    while drawn < count:
        length = min(int(draws.geometric(bursts.to_good if bad else bursts.to_bad)), count - drawn)
        runs.append(np.full(length, bad))
        bad, drawn = not bad, drawn + length
    return np.concatenate(runs)


def _lost(crossing: Crossing, draws: np.random.Generator, count: int) -> Bools:
    if crossing.bursts is not None:
        return lost_in_bursts(crossing.bursts, draws, count)
    return np.asarray(draws.random(count) < crossing.loss)
