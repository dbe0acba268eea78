"""The made-up data set: honest about itself, repeatable, and learnable."""

import numpy as np
import pytest

from slfac_sim.learning.datasets.synthetic import Synthetic


def test_form_and_honesty():
    data = Synthetic(train_samples=20, test_samples=7, classes=3, size=9, channels=2).load()
    assert (data.train_images.shape, data.train_images.dtype) == ((20, 2, 9, 9), np.uint8)
    assert (data.test_images.shape, data.test_labels.dtype) == ((7, 2, 9, 9), np.int64)
    assert set(data.train_labels) == {0, 1, 2}
    assert data.image_shape == (2, 9, 9)
    assert (data.real, data.source) == (False, "made up")


def test_same_settings_same_data_and_more_samples_begin_alike():
    one, two = Synthetic(train_samples=30).load(), Synthetic(train_samples=40).load()
    assert np.array_equal(one.train_images, two.train_images[:30])
    assert np.array_equal(one.train_labels, two.train_labels[:30])
    assert np.array_equal(one.test_images, two.test_images)
    assert not np.array_equal(one.train_images, Synthetic(train_samples=30, seed=1).load().train_images)


@pytest.mark.parametrize("channels", [1, 3])
def test_classes_can_be_told_apart_on_unseen_images(channels):
    data = Synthetic(channels=channels).load()
    means = np.stack([data.train_images[data.train_labels == label].mean(axis=0) for label in range(10)])
    distances = ((data.test_images[:, np.newaxis] - means) ** 2).sum(axis=(2, 3, 4))
    assert (distances.argmin(axis=1) == data.test_labels).mean() > 0.99
