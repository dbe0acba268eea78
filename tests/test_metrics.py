"""What is measured: published values, definitions answer by answer, and what one division promises."""

import doctest
import math
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slfac_sim.foundation import metrics
from slfac_sim.foundation.metrics import METRICS, Counts, f1, precision, recall

ANSWERS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=60)
DEVICES = st.lists(
    st.integers(0, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), max_size=40
)


def counted(
    truth: Sequence[int], answers: Sequence[int], classes: int | None = None
) -> list[tuple[int, int, int]]:
    """Samples, answers and right answers of each class, one answer at a time."""
    pairs = list(zip(truth, answers, strict=True))
    return [
        (
            sum(label == each for label, _ in pairs),
            sum(answer == each for _, answer in pairs),
            sum(label == answer == each for label, answer in pairs),
        )
        for each in range(classes or max(*truth, *answers) + 1)
    ]


def of(
    name: str, classes: Sequence[tuple[int, int, int]] = (), devices: Sequence[tuple[int, int]] = ()
) -> float | None:
    return METRICS[name].of(Counts(classes, devices, 0.5, 1.0))


def test_the_example_is_right() -> None:
    assert doctest.testmod(metrics).failed == 0


def test_balanced_accuracy_is_that_of_the_documentation_of_scikit_learn() -> None:
    """`balanced_accuracy_score`, example; accuracy there is 4/6."""
    assert of("balanced_accuracy", counted([0, 1, 0, 0, 1, 0], [0, 1, 0, 0, 0, 1])) == 0.625


def test_macro_f1_is_that_of_the_documentation_of_scikit_learn() -> None:
    """`f1_score(average="macro")`, example: 0.2666...; class 0 has 0.8, the others 0."""
    assert of("macro_f1", counted([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1])) == pytest.approx(0.8 / 3)


def test_figures_of_classes_are_those_of_the_documentation_of_scikit_learn() -> None:
    """`classification_report`, example: precision 0.50 0.00 1.00, recall 1 0 0.67, F1 0.67 0 0.80."""
    classes = counted([0, 1, 2, 2, 2], [0, 0, 2, 2, 1])
    assert [precision(*one) for one in classes] == [Fraction(1, 2), 0, 1]
    assert [recall(*one) for one in classes] == [1, 0, Fraction(2, 3)]
    assert [f1(*one) for one in classes] == [Fraction(2, 3), 0, Fraction(4, 5)]
    assert of("macro_f1", classes) == float(Fraction(22, 45))  # 0.49 there
    assert of("worst_class", classes) == 0.0


@given(pairs=ANSWERS)
def test_they_are_what_their_definitions_say(pairs: list[tuple[int, int]]) -> None:
    truth, answers = zip(*pairs, strict=True)
    classes = counted(truth, answers, classes=6)
    recalls = [
        sum(answer == each for label, answer in pairs if label == each) / truth.count(each)
        for each in set(truth)
    ]
    assert of("balanced_accuracy", classes) == pytest.approx(math.fsum(recalls) / len(recalls))
    assert of("worst_class", classes) == min(recalls)
    scores = []
    for each in set(truth) | set(answers):
        right = sum(label == answer == each for label, answer in pairs)
        found, exact = (right / n if n else 0.0 for n in (truth.count(each), answers.count(each)))
        scores.append(2 * found * exact / (found + exact) if right else 0.0)
    assert of("macro_f1", classes) == pytest.approx(math.fsum(scores) / len(scores))


@given(devices=DEVICES)
def test_those_of_devices_leave_out_devices_without_samples(devices: list[tuple[int, int]]) -> None:
    shares = sorted(right / samples for samples, right in devices if samples)
    names = ("device_mean", "device_spread", "device_worst_tenth")
    if not shares:
        assert [of(name, devices=devices) for name in names] == [None, None, None]
        return
    mean = math.fsum(shares) / len(shares)
    worst = shares[: -(-len(shares) // 10)]
    spread = math.sqrt(math.fsum((share - mean) ** 2 for share in shares) / len(shares))
    known = (mean, spread, math.fsum(worst) / len(worst))
    assert [of(name, devices=devices) for name in names] == [pytest.approx(each, abs=1e-7) for each in known]


@given(
    right=st.integers(0, 400),
    more=st.integers(0, 400),
    factors=st.lists(st.integers(1, 9), min_size=1, max_size=30),
)
def test_a_mean_of_equal_shares_is_that_share_to_the_last_bit(
    right: int, more: int, factors: list[int]
) -> None:
    samples = right + more + 1
    devices = [(factor * samples, factor * right) for factor in factors]
    classes = [(n, n, hits) for n, hits in devices]
    share = right / samples
    assert of("device_mean", devices=devices) == of("device_worst_tenth", devices=devices) == share
    assert of("device_spread", devices=devices) == 0.0
    assert of("balanced_accuracy", classes) == of("macro_f1", classes) == of("worst_class", classes) == share


@given(pairs=ANSWERS, value=st.floats(0, 1), target=st.floats(0, 1))
def test_a_target_is_reached_from_the_better_side(
    pairs: list[tuple[int, int]], value: float, target: float
) -> None:
    better = {name for name, metric in METRICS.items() if metric.reaches(value, target)}
    less = {name for name, metric in METRICS.items() if metric.less_is_better}
    assert less == {"device_spread", "loss"}
    assert better == (
        METRICS.keys() if value == target else less if value < target else METRICS.keys() - less
    )
    assert not any(metric.reaches(None, target) for metric in METRICS.values())
