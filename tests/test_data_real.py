"""The real data sets, where this machine has them: shapes, class counts, hashes; nothing is downloaded."""

import numpy as np
import pytest

from slfac_sim.foundation.plugins import find
from slfac_sim.learning.datasets import DataError
from slfac_sim.learning.idx.places import places
from slfac_sim.learning.idx.sets import idx_set

EXPECTED = {
    "mnist": (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
        (0.1307, 0.3081),
    ),
    "fashion_mnist": ([6000] * 10, [1000] * 10, (0.2860, 0.3530)),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_real_data(name, monkeypatch):
    monkeypatch.setenv("SLFAC_OFFLINE", "1")
    try:
        data = find("slfac_sim.learning.datasets", name)().load()  # reading verifies the hashes
    except DataError as error:
        pytest.skip(str(error))
    train, test, (mean, std) = EXPECTED[name]
    assert data.source in [str(place.folder) for place in places(idx_set(name))]
    assert (data.train_images.shape, data.test_images.shape) == ((60000, 1, 28, 28), (10000, 1, 28, 28))
    assert np.bincount(data.train_labels).tolist() == train
    assert data.class_names[-1:] == {"fashion_mnist": ("Ankle boot",)}.get(name, ())
    assert np.bincount(data.test_labels).tolist() == test
    assert (*data.mean, *data.std) == pytest.approx((mean, std), abs=5e-5)
