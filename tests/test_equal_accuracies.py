"""A mean of equal accuracies is that accuracy: right answers are added as integers, and divided once."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import world

from slfac_sim.analysis.crossings import final_accuracy, smoothed_crossing
from slfac_sim.analysis.statistics import mean_interval
from slfac_sim.learning.evaluation import Score, mean_score

SETS = st.integers(1, 10_000)


@st.composite
def right_answers(draw: st.DrawFn, most: int = 12) -> tuple[list[int], int]:
    samples = draw(SETS)
    return draw(st.lists(st.integers(0, samples), min_size=1, max_size=most)), samples


@given(shares=right_answers(), weight=st.integers(1, 9))
def test_over_devices_it_is_the_share_of_all_answers(shares: tuple[list[int], int], weight: int) -> None:
    rights, samples = shares
    scores = [(Score(right, samples, 0.5, right), weight) for right in rights]
    figures = mean_score(scores)
    assert figures["accuracy"] == figures["accuracy_no_codec"] == sum(rights) / (len(rights) * samples)
    assert figures["loss"] == 0.5


@given(shares=right_answers(), loss=st.floats(1e-6, 1e6), weights=st.lists(st.integers(1, 9), min_size=12))
def test_equal_scores_have_that_score(shares: tuple[list[int], int], loss: float, weights: list[int]) -> None:
    (right, *_), samples = shares
    figures = mean_score([(Score(right, samples, loss, None), weight) for weight in weights])
    assert (figures["accuracy"], figures["loss"]) == (right / samples, loss)
    assert np.isnan(figures["accuracy_no_codec"])


@given(shares=right_answers(), window=st.integers(1, 6))
def test_smoothed_over_evaluations_it_is_the_share_of_all_answers(
    shares: tuple[list[int], int], window: int
) -> None:
    rights, samples = shares
    curve = [right / samples for right in rights]
    places = [1.0 + place for place in range(len(curve))]
    for end in range(window, len(curve) + 1):
        target = float(Fraction(sum(rights[end - window : end]), window * samples))
        at = smoothed_crossing(places[:end], curve[:end], target, window)
        assert not at.censored
        above = float(np.nextafter(target, 2.0))
        best = max(Fraction(sum(rights[i - window : i]), window * samples) for i in range(window, end + 1))
        if float(best) < above:
            assert smoothed_crossing(places[:end], curve[:end], above, window).censored


@given(shares=right_answers(most=30))
def test_over_seeds_it_is_the_share_of_all_answers(shares: tuple[list[int], int]) -> None:
    rights, samples = shares
    curve = [right / samples for right in rights]
    assert final_accuracy(curve, len(curve)) == float(Fraction(sum(rights), len(rights) * samples))
    assert mean_interval([curve[0]] * len(curve)).mean == curve[0]


@pytest.mark.parametrize("kind", ["local_only", "splitfed_v3"])
def test_devices_that_are_equal_reach_the_target_that_each_reaches(kind: str) -> None:
    """49 equal shares: their mean in floats lies an ulp below for some numbers of right answers."""
    settings = f"protocol={{kind: {kind}, rounds: 1, steps: 1, evaluate_devices: 6}}"
    for test_samples in (97, 100):
        one = world(settings, "devices.count=6", f"data.test_samples={test_samples}")
        alone = world(settings.replace("6}", "1}"), "devices.count=6", f"data.test_samples={test_samples}")
        assert one.evaluate(b"")["accuracy"] == alone.evaluate(b"")["accuracy"]
