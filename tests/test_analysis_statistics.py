"""Statistics against hand-worked numbers, against scipy, and against simulated data with known parts."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slfac_sim.analysis.crossings import (
    Crossing,
    equal_accuracy,
    final_accuracy,
    first_crossing,
    smoothed_crossing,
)
from slfac_sim.analysis.statistics import (
    POSITIVE,
    geometric_interval,
    interval_of,
    mean_interval,
    over_runs,
    paired_ratio,
    quantile_reached,
    split_variance,
)

AT = [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]
ACCURACY = [0.1, 0.7, 0.85, 0.78, 0.82, 0.86]


def _at(*seconds: float) -> list[Crossing]:
    return [Crossing(s, (s - 1, s), censored=False) for s in seconds]


def _beyond(seconds: float) -> Crossing:
    return Crossing(seconds, (seconds, math.inf), censored=True)


def test_first_crossing_is_one_evaluation_and_its_bracket_begins_with_the_one_before() -> None:
    assert first_crossing(AT, ACCURACY, 0.8) == Crossing(20.0, (10.0, 20.0), censored=False)


def test_smoothed_crossing_waits_until_the_mean_of_three_is_there() -> None:
    # means of 3, stamped with the last: 20 s 0.55, 30 s 0.777, 40 s 0.817
    assert smoothed_crossing(AT, ACCURACY, 0.8) == Crossing(40.0, (30.0, 40.0), censored=False)


def test_a_mean_of_evaluations_on_the_target_is_on_it() -> None:
    assert smoothed_crossing([1.0, 2.0, 3.0], [0.7, 0.7, 0.7], 0.7).at == 3.0


def test_a_run_that_never_arrives_is_censored_at_its_last_evaluation() -> None:
    for find in (first_crossing, smoothed_crossing):
        assert find(AT, ACCURACY, 0.9) == Crossing(50.0, (50.0, math.inf), censored=True)
    assert smoothed_crossing([1.0, 2.0], [0.9, 0.9], 0.8).censored  # two evaluations are no mean of three
    assert first_crossing([], [], 0.5).censored


def test_an_untrained_model_may_be_there_at_once() -> None:
    assert first_crossing([0.0, 1.0], [0.6, 0.7], 0.5) == Crossing(0.0, (0.0, 0.0), False, untrained=True)


def test_a_curve_needs_an_accuracy_for_each_place() -> None:
    with pytest.raises(ValueError, match=r"one accuracy for each place \(got \(1,\) for \(2,\)\)"):
        first_crossing([1.0, 2.0], [0.5], 0.5)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.01, 1))
def test_the_bracket_holds_the_crossing(accuracy: list[float], target: float) -> None:
    at = np.arange(len(accuracy)) * 7.0
    found = first_crossing(at, accuracy, target)
    below = [a for s, a in zip(at, accuracy, strict=True) if s <= found.bracket[0] and s < found.at]
    assert all(a < target for a in below)
    assert found.censored == (max(accuracy) < target)
    assert found.bracket[0] <= found.at <= found.bracket[1]


def test_t_interval_of_three_is_4_30_standard_errors() -> None:
    # 1, 2, 6: mean 3, s = sqrt(7), s / sqrt(3) = 1.527525; t(2, 0.975) = 4.302653
    found = mean_interval([1.0, 2.0, 6.0])
    assert found.n == 3
    assert found.mean == pytest.approx(3.0)
    assert found.high - 3.0 == pytest.approx(4.302653 * 1.527525, rel=1e-6)
    assert 3.0 - found.low == pytest.approx(found.high - 3.0)


def test_t_interval_equals_that_of_scipy() -> None:
    from scipy import stats

    values = np.random.default_rng(3).normal(5.0, 2.0, 8)
    low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    found = mean_interval(values)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)


@given(st.sampled_from(sorted(POSITIVE)), st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=12))
def test_an_interval_of_a_positive_quantity_is_positive_and_holds_its_mean(
    quantity: str, values: list[float]
) -> None:
    found = interval_of(quantity, values)
    assert found.geometric
    assert found.mean == pytest.approx(math.exp(np.log(values).mean()))
    if len(values) > 1:
        assert 0.0 < found.low <= found.mean * (1 + 1e-12)
        assert found.mean <= found.high * (1 + 1e-12) < math.inf
    assert repr(interval_of("loss", values)) == repr(mean_interval(values))  # bounds may be NaN


def test_a_positive_quantity_that_is_zero_has_no_interval() -> None:
    assert (interval_of("payload_bytes", [0.0, 0.0]).mean, interval_of("energy_j", [0.0, 4.0]).mean) == (0, 2)
    assert math.isnan(interval_of("payload_bytes", [0.0, 0.0]).high)
    with pytest.raises(ValueError, match="above zero"):
        geometric_interval([1.0, -1.0])


def test_one_value_has_no_interval_and_none_no_mean() -> None:
    found = mean_interval([4.0])
    assert (found.mean, found.n, math.isnan(found.low), math.isnan(found.high)) == (4.0, 1, True, True)
    with pytest.raises(ValueError, match="at least one"):
        mean_interval([])


def test_a_censored_run_changes_the_answer() -> None:
    reached = over_runs(_at(100.0, 110.0, 120.0))
    assert reached.mean is not None
    assert reached.mean.mean == pytest.approx((100.0 * 110.0 * 120.0) ** (1 / 3))
    with_one = over_runs([*_at(100.0, 110.0, 120.0), _beyond(200.0)])
    assert (with_one.n, with_one.censored, with_one.mean) == (4, 1, None)
    assert with_one.median == (115.0, 115.0)  # of 100, 110, 120 and something above 200
    survivors = over_runs(_at(100.0, 110.0))
    with_bound = over_runs([*_at(100.0, 110.0), _beyond(50.0), _beyond(60.0)])
    assert survivors.median == (105.0, 105.0)
    assert with_bound.median == (80.0, math.inf)


def test_a_median_between_two_censored_runs_is_bounded_only() -> None:
    assert over_runs([*_at(10.0, 11.0, 12.0), _beyond(1.0), _beyond(2.0)]).median == (10.0, 12.0)
    assert over_runs([_beyond(30.0), _beyond(40.0), _beyond(50.0)]).median == (40.0, math.inf)


def test_paired_ratio_by_hand() -> None:
    # ratios 2, 4, 8: mean log2 is 2, s of log2 is 1, half width 4.302653 / sqrt(3) = 2.484138 octaves
    found = paired_ratio(_at(10.0, 40.0, 80.0), _at(5.0, 10.0, 10.0))
    assert found.mean is not None
    assert (found.n, found.censored) == (3, 0)
    assert found.mean.mean == pytest.approx(4.0)
    assert found.mean.low == pytest.approx(4.0 / 2**2.484138, rel=1e-6)
    assert found.mean.high == pytest.approx(4.0 * 2**2.484138, rel=1e-6)


def test_pairing_removes_what_seeds_have_in_common() -> None:
    rng = np.random.default_rng(5)
    luck = np.exp(rng.normal(0.0, 1.0, 6))  # a slow seed is slow under both codecs
    found = paired_ratio(_at(*(300.0 * luck)), _at(*(100.0 * luck * np.exp(rng.normal(0.0, 0.01, 6)))))
    assert found.mean is not None
    assert found.mean.low < 3.0 < found.mean.high
    assert found.mean.high / found.mean.low < 1.05


def test_a_ratio_with_a_censored_member_is_a_bound_and_not_a_mean_of_survivors() -> None:
    base = [*_at(20.0, 30.0), _beyond(90.0)]
    found = paired_ratio(base, _at(10.0, 10.0, 10.0))  # 2, 3, more than 9
    assert (found.mean, found.censored, found.median) == (None, 1, (3.0, 3.0))
    assert found.middle == 3.0
    found = paired_ratio(_at(20.0, 30.0, 90.0), [*_at(10.0, 10.0), _beyond(10.0)])  # 2, 3, less than 9
    assert found.median == (2.0, 3.0)
    assert math.isnan(found.middle)


def test_bounds_of_a_ratio_point_the_right_way() -> None:
    never, soon = [_beyond(100.0)], _at(50.0)
    assert paired_ratio(never, soon).median == (2.0, math.inf)
    assert paired_ratio(soon, never).median == (0.0, 0.5)
    assert paired_ratio(never, never).median == (0.0, math.inf)


def test_reciprocal_ratio_has_the_reciprocal_interval() -> None:
    one, two = _at(10.0, 22.0, 35.0), _at(4.0, 9.0, 11.0)
    ahead, behind = paired_ratio(one, two).mean, paired_ratio(two, one).mean
    assert ahead is not None
    assert behind is not None
    assert (behind.low, behind.mean) == pytest.approx((1 / ahead.high, 1 / ahead.mean))


def test_pairs_must_match() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_ratio(_at(1.0, 2.0), _at(1.0))


def test_variance_split_finds_the_parts_it_was_made_of() -> None:
    rng = np.random.default_rng(11)
    trainings, draws, repeats = 6, 40, 200
    found = np.zeros((repeats, 3))
    for i in range(repeats):
        learning = rng.normal(0, 3.0, (trainings, 1))
        air = rng.normal(0, 2.0, (1, draws))
        split = split_variance(100 + learning + air + rng.normal(0, 1.0, (trainings, draws)))
        found[i] = split.learning, split.air, split.both
    np.testing.assert_allclose(found.mean(axis=0), [9.0, 4.0, 1.0], rtol=0.1)


def test_variance_that_only_one_side_has() -> None:
    row = np.array([1.0, 2.0, 3.0, 4.0])
    split = split_variance(np.array([row, row, row]))
    assert (split.learning, split.both) == (0.0, 0.0)
    assert split.air == pytest.approx(row.var(ddof=1))
    assert (split.trainings, split.draws) == (3, 4)
    split = split_variance(np.array([row, row, row]).T)
    assert (split.air, split.both) == (0.0, 0.0)
    assert split.learning == pytest.approx(row.var(ddof=1))


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (4,)])
def test_variance_needs_two_of_each(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 2 trainings x 2 draws"):
        split_variance(np.ones(shape))


def test_kaplan_meier_counts_censored_runs_until_they_are_lost() -> None:
    # at 10: 4 of 5 left; at 20 one of 4 goes: 0.6; lost at 25; at 30 one of 2 goes: 0.3; the last one stays
    found = [*_at(10.0, 20.0, 30.0), _beyond(25.0), _beyond(40.0)]
    assert quantile_reached(found, 0.2) == 10.0
    assert quantile_reached(found, 0.5) == 30.0
    assert quantile_reached(found, 0.95) == math.inf
    assert quantile_reached([_beyond(9.0)], 0.5) == math.inf
    assert quantile_reached(_at(3.0, 1.0, 2.0), 0.5) == 2.0


def test_equal_accuracy_needs_every_crossing_and_half_a_point() -> None:
    at = [1.0, 2.0, 3.0, 4.0]
    one = [(at, [0.5, 0.85, 0.85, 0.85])]
    assert equal_accuracy(one, [(at, [0.5, 0.855, 0.855, 0.855])], 0.8)
    assert not equal_accuracy(one, [(at, [0.5, 0.856, 0.856, 0.856])], 0.8)
    assert not equal_accuracy(one, [(at, [0.5, 0.79, 0.81, 0.79])], 0.8)  # crosses raw, not smoothed
    assert not equal_accuracy(one, [*one, (at, [0.5, 0.6, 0.7, 0.75])], 0.8)
    assert not equal_accuracy(one, [], 0.8)


def test_final_accuracy_is_the_mean_of_the_last_three() -> None:
    assert final_accuracy([0.1, 0.6, 0.7, 0.8]) == pytest.approx(0.7)
    assert final_accuracy([0.4]) == 0.4
    assert math.isnan(final_accuracy([]))


def test_more_seeds_make_narrower_intervals() -> None:
    widths = [mean_interval(np.tile([1.0, 2.0], n)).high for n in range(1, 6)]
    assert all(one > two for one, two in pairwise(widths))


def test_pairs_of_which_nothing_is_known_leave_the_median_unknown() -> None:
    """Two of four pairs censored on both sides: beside them, 2 and 3 are no bound of the median ratio."""
    base = [*_at(20.0, 30.0), _beyond(90.0), _beyond(90.0)]
    other = [*_at(10.0, 10.0), _beyond(90.0), _beyond(90.0)]
    assert paired_ratio(base, other).median == (0.0, math.inf)
    assert paired_ratio(base[:3], other[:3]).median == (2.0, 3.0)
    assert paired_ratio(_at(20.0, 80.0), [*_at(10.0), _beyond(20.0)]).median[0] == 0.0


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6))
def test_an_interval_of_an_accuracy_is_cut_at_0_and_1(values: list[float]) -> None:
    found, uncut = interval_of("accuracy_final", values), mean_interval(values)
    assert 0.0 <= found.low <= found.mean <= found.high <= 1.0
    assert found.low in (uncut.low, 0.0)
    assert found.high in (uncut.high, 1.0)
    assert math.isnan(interval_of("balanced_accuracy", values[:1]).low)
