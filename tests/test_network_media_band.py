"""Media whose rates depend on who is active: OFDMA, FDMA under limited power, proportional fair."""

import re
from collections import Counter
from itertools import pairwise
from math import inf, log1p, log2

import numpy as np
import pytest
from media_play import flow, play
from scipy.special import comb, exp1

from slfac_sim.foundation.errors import BadInput
from slfac_sim.network.engine.allotted import AllottedShare
from slfac_sim.network.media.fdma import Fdma
from slfac_sim.network.media.ofdma import Ofdma
from slfac_sim.network.media.proportional_fair import ProportionalFair, best_of, best_survival
from slfac_sim.network.media.tdma import Tdma


def power_limited(rate_bps, snr):
    """Return a sender's rate in n-fold density, as `Flow.among` tells it."""
    return lambda n: rate_bps * log1p(n * snr) / log1p(snr)


# --- the band divided: OFDMA and FDMA under limited power ---


def test_ofdma_gives_the_cell_edge_more_than_turns_on_the_whole_band():
    # Each of n puts its power into 1/n of the band: n S = 1 there, so log2(2) / log2(1.1) times the rate.
    n, snr = 10, 0.1
    flows = [flow(i, 1e6, 1e6, among=power_limited(1e6, snr)) for i in range(n)]
    ends = play(Ofdma().share(n, 1.0), [(0.0, one) for one in flows])
    turns = [flow(i, 1e6, 1e6) for i in range(n)]
    turns_s = max(play(Tdma().share(n, 1.0), [(0.0, one) for one in turns]).values())
    gain = log2(2.0) / log2(1.1)
    assert [turns_s / ends[one] for one in flows] == pytest.approx([gain] * n, rel=1e-3)
    assert gain > 7.0


def test_near_the_station_power_hardly_matters():
    flows = [flow(i, 1e6, 1e6, among=power_limited(1e6, 1e6)) for i in range(2)]
    ends = play(Ofdma().share(2, 1.0), [(0.0, one) for one in flows])
    assert 2.0 / ends[flows[0]] == pytest.approx(1.0 + 1.0 / log2(1e6), rel=1e-3)


def test_who_is_limited_by_power_radiates_as_long_as_it_is_served():
    up, down = flow(0, 1e6, 1e6, among=power_limited(1e6, 1.0)), flow(1, 1e6, 1e6)
    ends = play(Ofdma().share(2, 0.5), [(0.0, up), (0.0, down)])
    assert up.radiated_s == pytest.approx(0.5 * ends[up])  # the uplink has half the time
    assert up.airtime_s == pytest.approx(0.5 * up.radiated_s)
    assert down.radiated_s == pytest.approx(down.airtime_s) == pytest.approx(1.0)
    channel = flow(0, 1e6, 1e6, among=power_limited(1e6, 1.0))
    end_s = play(Fdma().share(4, 1.0), [(0.0, channel)])[channel]
    assert end_s == pytest.approx(4.0 * log2(2.0) / log2(5.0)) == pytest.approx(channel.radiated_s)
    assert channel.airtime_s == pytest.approx(end_s / 4.0)
    shared = [flow(0, 1e6, 1e6, among=power_limited(1e6, 1.0)) for _ in range(2)]
    ends = play(Fdma().share(4, 1.0), [(0.0, one) for one in shared])
    assert [one.radiated_s for one in shared] == pytest.approx([end_s, end_s])  # by turns, on one channel
    assert ends[shared[0]] == pytest.approx(2.0 * end_s)


def test_more_than_the_resource_blocks_take_turns():
    among = power_limited(1e6, 0.1)
    flows = [flow(i, 1e6, 1e6, among=among) for i in range(10)]
    ends = play(Ofdma(resource_blocks=4).share(10, 1.0), [(0.0, one) for one in flows])
    assert [ends[one] for one in flows] == pytest.approx([10.0 * 1e6 / among(4)] * 10)
    assert flows[0].radiated_s == pytest.approx(0.4 * ends[flows[0]])


def test_rates_follow_who_is_active():
    # 1 bit/s alone, 0.75 each of two: 1 bit alone to 1, both to 1 + 4/3, the last bit of the first alone.
    among = {1: 1.0, 2: 1.5}.__getitem__
    first, second = flow(0, 3.0, 1.0, among=among), flow(1, 1.0, 1.0, among=among)
    ends = play(Ofdma().share(2, 1.0), [(0.0, first), (1.0, second)])
    assert ends[second] == pytest.approx(7.0 / 3.0)
    assert ends[first] == pytest.approx(10.0 / 3.0)


def test_changes_of_one_instant_are_allotted_once():
    calls = Counter()

    def allot(flows):
        calls["allot"] += 1
        n = len(flows)
        return np.full(n, 1.0 / n), np.full(n, 1.0 / n), np.full(n, 1.0 / n)

    share = AllottedShare(allot)
    flows = [flow(i, 1.0, 1.0) for i in range(100)]
    for one in flows:
        share.start(0.0, one)
    assert share.due_s == 100.0
    assert share.finish(50.0) == []
    assert share.finish(100.0) == flows
    assert (share.due_s, calls["allot"]) == (inf, 1)


@pytest.mark.parametrize(
    ("allotted", "shapes"),
    [
        (np.ones(3), "[], [], []"),
        (np.ones((3, 1)), "[1], [1], [1]"),
        ((np.ones(3), 0.5, np.ones(3)), "[3], [], [3]"),
        ((np.ones(3), np.ones(3)), "[3], [3]"),
        (None, "[]"),
    ],
)
def test_an_allotment_of_another_shape_is_refused(allotted, shapes):
    share = AllottedShare(lambda flows: allotted)
    for i in range(3):
        share.start(0.0, flow(i, 1.0, 1.0))
    refused = f"{__name__}: allotted arrays of shapes {shapes}, expected three of [3]: rates, parts"
    with pytest.raises(BadInput, match=re.escape(refused)):
        share.due_s  # noqa: B018


# --- proportional fair ---


def finite_sum(n, snr):
    terms = [(-1) ** (k + 1) * comb(n, k) * np.exp(k / snr) * exp1(k / snr) for k in range(1, n + 1)]
    return sum(terms) / np.log(2.0)


def test_the_best_of_one_is_the_ergodic_capacity():
    measured = [best_of(1, 10.0 ** (snr_db / 10.0)) for snr_db in (-10, 0, 10, 20, 30)]
    assert measured == pytest.approx([0.1321, 0.8603, 2.9065, 5.8840, 9.1436], abs=5e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 16])
def test_the_best_of_n_is_the_finite_sum(n):
    snrs = (0.1, 1.0, 10.0, 1e3, 1e6)
    measured = [best_of(n, snr) for snr in snrs]
    assert measured == pytest.approx([finite_sum(n, snr) for snr in snrs], rel=1e-9)


def harmonic(n: int) -> float:
    """Return H_n = 1 + 1/2 + ... + 1/n: E[M], the gain where the rate is linear in the SNR."""
    return float(np.sum(1.0 / np.arange(1, n + 1)))


def test_the_gain_of_a_linear_rate_is_harmonic():
    assert [harmonic(n) for n in (1, 2, 3, 4)] == pytest.approx([1.0, 1.5, 11 / 6, 25 / 12])
    for n in (1, 4, 50, 1000):
        assert best_of(n, 1e-6) * np.log(2.0) / 1e-6 == pytest.approx(harmonic(n), rel=2e-5)
    gains = [best_of(n, 10.0) for n in (1, 2, 17, 1000, 10**6)]
    assert all(more > less for less, more in pairwise(gains))


def test_the_survival_of_the_best():
    gain = np.array([0.0, 0.5, 2.0])
    assert best_survival(3, lambda x: np.exp(-x))(gain) == pytest.approx(1.0 - (1.0 - np.exp(-gain)) ** 3)


def proportional_fair_slots(
    rates_bps: np.ndarray, window_slots: float = 100.0
) -> tuple[np.ndarray, np.ndarray]:
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


@pytest.mark.parametrize(("n", "snr"), [(1, 1.0), (2, 10.0), (4, 1.0), (4, 100.0), (8, 10.0)])
def test_the_fluid_mean_is_that_of_the_scheduler(n, snr):
    fades = np.random.default_rng(7).exponential(size=(60_000, n))
    mean_bps, part = proportional_fair_slots(1e6 * np.log2(1.0 + snr * fades))
    assert part == pytest.approx(np.full(n, 1.0 / n), rel=0.01)
    flows = [flow(i, 1e7, 1e6 * best_of(1, snr), among=lambda k: 1e6 * best_of(k, snr)) for i in range(n)]
    ends = play(ProportionalFair().share(n, 1.0), [(0.0, one) for one in flows])
    assert 1e7 / np.mean(list(ends.values())) == pytest.approx(mean_bps.mean(), rel=0.02)
    assert [one.airtime_s for one in flows] == pytest.approx([ends[flows[0]] / n] * n)


def test_ties_go_to_the_first():
    mean_bps, part = proportional_fair_slots(np.ones((10, 2)))
    assert part.tolist() == [0.5, 0.5]
    assert proportional_fair_slots(np.ones((1, 3)))[1].tolist() == [1.0, 0.0, 0.0]
    assert mean_bps.tolist() == [0.5, 0.5]
