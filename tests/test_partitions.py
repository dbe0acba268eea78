"""Partitions: laws that every kind obeys, and the claims that each one makes."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from slfac_sim.foundation.errors import BadInput
from slfac_sim.foundation.plugins import adapter, find, kinds
from slfac_sim.learning.datasets.synthetic import Synthetic
from slfac_sim.learning.dealing import deal
from slfac_sim.learning.partitions import OverColumn, dirichlet, label_histogram
from slfac_sim.learning.partitions.by import By
from slfac_sim.learning.partitions.dirichlet import Dirichlet
from slfac_sim.learning.partitions.feature import Feature
from slfac_sim.learning.partitions.iid import Iid
from slfac_sim.learning.partitions.quantity import Quantity
from slfac_sim.learning.partitions.shards import Shards

FAMILY = "slfac_sim.learning.partitions"
LABELS = np.repeat(np.arange(10), 600)


def names(count):
    return [f"d{number:03d}" for number in range(count)]


def test_kinds():
    assert {"iid", "dirichlet", "shards", "quantity", "feature", "by"} <= set(kinds(FAMILY))


@pytest.mark.parametrize("kind", kinds(FAMILY))
@given(data=st.data())
@settings(max_examples=30)
def test_law_every_sample_has_one_owner(kind, data):
    partition = find(FAMILY, kind)()
    devices = names(data.draw(st.integers(1, 8)))
    seed, classes = data.draw(st.integers(0, 2**40)), data.draw(st.integers(1, 5))
    classes = 2 * len(devices) if issubclass(find(FAMILY, kind), OverColumn) else classes
    labels = np.random.default_rng(seed).integers(classes, size=data.draw(st.integers(80, 200)))
    shares = partition.split(labels, devices, seed)
    assert [share.dtype for share in shares] == [np.int64] * len(devices)
    assert all(len(share) > 0 and np.all(np.diff(share) > 0) for share in shares)
    assert np.array_equal(np.sort(np.concatenate(shares)), np.arange(len(labels)))
    again = partition.split(labels.copy(), list(devices), seed)
    assert all(np.array_equal(*pair) for pair in zip(shares, again, strict=True))


@pytest.mark.parametrize("kind", kinds(FAMILY))
def test_law_seed_matters_and_too_few_samples_are_refused(kind):
    partition = find(FAMILY, kind)()
    one, two = (partition.split(LABELS, names(5), seed) for seed in (0, 1))
    assert not np.array_equal(one[0], two[0])
    with pytest.raises(
        BadInput, match=r"^partition: found 4 training samples for 5 devices, expected at least \d+"
    ):
        partition.split(LABELS[:4], names(5), 0)


@given(st.integers(1, 400), st.integers(1, 40), st.integers(0, 100))
def test_iid_sizes_differ_by_one_at_most(samples, devices, seed):
    devices = min(devices, samples)
    sizes = [len(share) for share in Iid().split(np.zeros(samples, np.int64), names(devices), seed)]
    assert max(sizes) - min(sizes) <= 1


def test_iid_ignores_labels_and_names():
    one = Iid().split(LABELS, names(7), 3)
    two = Iid().split(LABELS[::-1].copy(), ["x", *names(6)], 3)
    assert all(np.array_equal(*pair) for pair in zip(one, two, strict=True))


def test_iid_classes_are_spread_by_chance():
    histogram = label_histogram(LABELS, Iid().split(LABELS, names(10), 0), 10)
    assert stats.chi2_contingency(histogram).pvalue > 0.01
    assert np.abs(histogram - 60).max() < 40


SHARDS = [[1, 3, 8], [2, 5], [0, 4, 6, 7]]
QUANTITY = [[2, 3, 8, 10], [1, 5, 7], [0, 4, 6, 9, 11]]

# Golden splits: a run must draw the same shares in every later version.


def test_iid_golden():
    assert [share.tolist() for share in Iid().split(np.zeros(7, np.int64), names(3), 0)] == [
        [2, 3, 5],
        [1, 4],
        [0, 6],
    ]


def test_dirichlet_golden():
    shares = Dirichlet(alpha=0.5, min_samples=1).split(np.arange(12) % 3, names(3), 0)
    assert [share.tolist() for share in shares] == [[9], [1, 3, 4, 7, 8, 10], [0, 2, 5, 6, 11]]


def test_large_alpha_tends_to_equal_shares():
    histogram = label_histogram(LABELS, Dirichlet(alpha=1e7).split(LABELS, names(10), 0), 10)
    assert np.abs(histogram - 60).max() <= 2


def test_small_alpha_gives_each_class_to_few():
    labels = np.repeat(np.arange(10), 6000)
    shares = {
        alpha: label_histogram(labels, Dirichlet(alpha=alpha, min_samples=1).split(labels, names(10), 0), 10)
        for alpha in (0.05, 1.0, 100.0)
    }
    largest = {alpha: (counts.max(axis=0) / 6000).mean() for alpha, counts in shares.items()}
    assert largest[0.05] > 0.6
    assert 0.4 > largest[1.0] > 0.2 > largest[100.0]


@pytest.mark.parametrize("alpha", [0.05, 0.5, 5.0])
def test_proportions_follow_the_dirichlet_distribution(alpha):
    drawn = [Dirichlet(alpha=alpha).proportions(np.arange(10), names(20), seed, 0) for seed in range(40)]
    assert np.allclose(np.sum(drawn, axis=1), 1.0)
    first = np.concatenate([shares[0] for shares in drawn])
    assert stats.kstest(first, stats.beta(alpha, 19 * alpha).cdf).pvalue > 0.01


def test_tiny_alpha_neither_divides_by_zero_nor_loses_samples():
    shares = Dirichlet(alpha=1e-4).proportions(np.arange(10), names(20), 0, 0)
    assert np.all(np.isfinite(shares))
    assert np.allclose(shares.sum(axis=0), 1.0)


def test_a_new_device_leaves_the_ratios_of_the_others():
    few, many = (Dirichlet().proportions(np.arange(10), names(count), 5, 0) for count in (4, 9))
    assert np.allclose(few[0] / few[2], many[0] / many[2])


def test_min_samples_are_given(monkeypatch):
    attempts = []
    real = Dirichlet.proportions

    def counted(self, *arguments):
        attempts.append(arguments[-1])
        return real(self, *arguments)

    monkeypatch.setattr(Dirichlet, "proportions", counted)
    shares = Dirichlet(alpha=0.1, min_samples=40).split(LABELS, names(20), 0)
    assert min(len(share) for share in shares) >= 40
    assert len(attempts) > 1
    assert attempts == list(range(len(attempts)))


def test_min_samples_out_of_reach_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(dirichlet, "ATTEMPTS", 3)
    with pytest.raises(BadInput) as error:
        Dirichlet(alpha=0.01, min_samples=5).split(LABELS, names(50), 0)
    assert str(error.value) == (
        "partition: in 3 draws some device always had fewer than 5 samples (at best d000 with 0);"
        " raise alpha (0.01), lower min_samples (5), or take fewer devices (50)"
    )


def test_classes_that_no_sample_has_are_no_trouble():
    labels = np.array([1, 1, 7, 7, 7, 7, 7, 7, 1, 7] * 10, dtype=np.int64)
    shares = Dirichlet(alpha=1.0).split(labels, names(3), 0)
    histogram = label_histogram(labels, shares, 10)
    assert histogram.shape == (3, 10)
    assert histogram.sum(axis=0).tolist() == [0, 30, 0, 0, 0, 0, 0, 70, 0, 0]


@pytest.mark.parametrize("bad", [{"alpha": 0.0}, {"alpha": float("inf")}, {"min_samples": 0}, {"alfa": 1.0}])
def test_settings_are_checked(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        adapter(Dirichlet).validate_python(bad)


@given(st.integers(1, 4), st.integers(0, 100))
def test_shards_of_equal_classes_give_each_device_so_many_classes(each, seed):
    labels = np.random.default_rng(seed).permutation(LABELS)
    shares = Shards(each=each).split(labels, names(20), seed)  # 20 each pieces, of 10 classes
    held = (label_histogram(labels, shares, 10) > 0).sum(axis=1)
    assert 1 <= held.min() <= held.max() <= each
    assert {len(share) for share in shares} == {300}


def test_shards_golden():
    assert [share.tolist() for share in Shards().split(np.arange(9) % 3, names(3), 0)] == SHARDS


@pytest.mark.parametrize("law", ["log_normal", "power_law"])
def test_sizes_follow_their_law(law):
    partition = Quantity(law=law, spread=0.8)
    logs = np.log(partition.weights(names(3000), 1))
    assert logs.std() == pytest.approx(0.8, rel=0.05)
    shape = stats.norm(logs.mean(), 0.8) if law == "log_normal" else stats.expon(logs.min(), 0.8)
    assert stats.kstest(logs, shape.cdf).pvalue > 0.01


@given(st.integers(2, 30), st.integers(0, 100), st.integers(1, 5))
def test_quantity_gives_all_the_fewest_and_leaves_the_ratios_of_the_others(devices, seed, fewest):
    partition = Quantity(min_samples=fewest)
    sizes = np.array([len(share) for share in partition.split(LABELS, names(devices), seed)])
    above = partition.weights(names(devices), seed) * (6000 - fewest * devices)
    assert sizes.min() >= fewest
    assert np.abs(sizes - fewest - above).max() <= 1.0
    few, many = (partition.weights(names(count), seed) for count in (devices, devices + 5))
    assert np.allclose(few[0] / few[1], many[0] / many[1])


def test_quantity_golden():
    assert [share.tolist() for share in Quantity().split(np.zeros(12, np.int64), names(3), 0)] == QUANTITY


@given(st.integers(1, 12), st.integers(12, 40), st.integers(0, 100))
def test_by_keeps_each_value_on_one_device(devices, values, seed):
    column = np.array([f"v{number}" for number in np.random.default_rng(seed).integers(values, size=300)])
    found = len(np.unique(column))
    if found < devices:
        return
    shares = By(column="owner").split(column, names(devices), seed)
    whose = [set(column[share].tolist()) for share in shares]
    assert sum(map(len, whose)) == found
    assert max(map(len, whose)) - min(map(len, whose)) <= 1


def test_by_needs_a_column_that_is_there_and_values_enough():
    labels = np.arange(30) % 4
    with pytest.raises(BadInput) as error:
        By().split(labels, names(5), 0)
    assert str(error.value) == (
        "partition: found 4 values of label for 5 devices, expected at least one for each"
    )
    data = dataclasses.replace(Synthetic(size=8).load(), columns={"role": np.arange(1000) % 7})
    shares = deal(By(column="role"), data, names(3), 0)[1]
    assert all(len(set(share % 7)) in (2, 3) for share in shares)
    with pytest.raises(BadInput) as error:
        deal(By(column="rôle"), data, names(3), 0)
    assert str(error.value) == (
        "partition.column: the data 'synthetic' have no column 'rôle' among label, role; did you mean 'role'?"
    )


def test_feature_noise_grows_with_the_device_and_leaves_the_test_alone():
    data = Synthetic(train_samples=400, size=8, noise=0.0, validation=40).open()
    seen, shares = deal(Feature(noise=20.0), data, names(5), 3)
    assert np.array_equal(seen.test_images, data.test_images)
    assert np.array_equal(seen.validation_images, data.validation_images)
    apart = seen.train_images.astype(float) - data.train_images
    middle = (data.train_images > 80) & (data.train_images < 175)  # nothing is cut off there
    found = [apart[share][middle[share]].std() for share in shares]
    assert found == pytest.approx([0.0, 5.0, 10.0, 15.0, 20.0], rel=0.05, abs=0.3)
    again, _ = deal(Feature(noise=20.0), data, names(5), 3)
    assert np.array_equal(seen.train_images, again.train_images)
    assert deal(Iid(), data, names(5), 3)[0] is data
